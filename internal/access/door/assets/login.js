// A link from the terminal has the token behind the #, which no server and no log
// sees. It is taken out of the address at once and sent.
"use strict";
const form = document.getElementById("login");
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("token").value = given;
  form.submit();
} else if (form.dataset.known === "") {
  // Whoever follows a link of another site seems unknown at first: browsers keep the
  // cookie back. From this page on they send it.
  fetch("/login/who").then((answer) => answer.json()).then((who) => {
    if (who.login) location.replace(form.elements.next.value);
  });
}
