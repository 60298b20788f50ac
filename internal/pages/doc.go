// Package pages is the web pages: what is read in the catalog, shown to people, and
// what people do by hand. Pages are rendered on the server and load nothing from
// elsewhere; htmx asks for them again every few seconds and is answered with 304 while
// nothing has changed. Without JavaScript they are links and forms.
package pages
