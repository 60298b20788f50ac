// Package access says who may do what: roles, what each action asks for, which
// routes are which action, and how tokens are made and known again. It is pure;
// internal/access/door asks it at every request.
package access
