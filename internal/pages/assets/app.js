// What the pages do beyond links and forms: conditional polling, ages that run,
// the theme, and dialogs. Everything works without it, by loading pages anew.
(() => {
  const root = document.documentElement;

  // Polling: the tag of the last answer goes along, so that an unchanged page is 304
  // and nothing is touched. A hidden tab asks nothing; an open dialog is left alone.
  const tags = new WeakMap();
  const polls = (ctx) => ctx.sourceElement?.hasAttribute("data-live");
  document.addEventListener("htmx:config:request", (e) => {
    const ctx = e.detail.ctx;
    if (!polls(ctx)) return;
    if (document.hidden) { e.preventDefault(); return; }
    ctx.request.timeout = "10s"; // a kill by hand may take longer, and has the time
    ctx.request.action = location.pathname + location.search;
    const tag = tags.get(ctx.sourceElement);
    if (tag) ctx.request.headers["If-None-Match"] = tag;
  });
  document.addEventListener("htmx:after:request", (e) => {
    const ctx = e.detail.ctx;
    // What a filter asked for is what the address says, and what is polled from then on.
    if (ctx.sourceElement?.matches("form.filters") && ctx.response.status === 200) history.replaceState(null, "", ctx.request.action);
    if (!polls(ctx)) return;
    const status = ctx.response.status;
    lost(status >= 400 ? "The server answers " + status + "." : "");
    const tag = ctx.response.headers.get("ETag");
    if (tag && status === 200) tags.set(ctx.sourceElement, tag);
  });
  document.addEventListener("htmx:error", (e) => {
    const ctx = e.detail.ctx;
    if (polls(ctx)) { lost("The server cannot be reached."); return; }
    const form = ctx?.sourceElement?.closest?.("form[method=post]");
    if (!form) return;
    let told = form.querySelector("[data-unanswered]");
    if (!told) {
      told = document.createElement("p");
      told.className = "fault";
      told.setAttribute("role", "alert");
      told.dataset.unanswered = "";
      form.append(told);
    }
    told.textContent = "No answer came. It may have been done all the same: look at the decision log before you send it again.";
  });

  // What is shown goes on being shown; the reader is told that it is no longer new.
  let since = null;
  function lost(why) {
    const bar = document.getElementById("lost");
    if (!bar) return;
    if (!why) { since = null; bar.hidden = true; return; }
    since ??= new Date();
    bar.hidden = false;
    const text = why + " What you see is of " + clock(since) + " or earlier.";
    if (bar.textContent !== text) bar.textContent = text;
  }
  const clock = (d) => d.toISOString().slice(11, 19) + " UTC";

  // Ages: the server writes instants, which do not change the page's tag.
  function ages(within) {
    const now = Date.now();
    for (const t of within.querySelectorAll("time[data-age]")) {
      const at = Date.parse(t.getAttribute("datetime"));
      if (Number.isNaN(at)) continue;
      const text = age((now - at) / 1000);
      if (t.textContent !== text) t.textContent = text;
    }
  }
  function age(s) {
    const future = s < -1;
    s = Math.abs(s);
    const [n, unit] = s < 90 ? [Math.round(s), "s"] : s < 5400 ? [Math.round(s / 60), "min"]
      : s < 129600 ? [Math.round(s / 3600), "h"] : [Math.round(s / 86400), "days"];
    return future ? "in " + n + " " + unit : n + " " + unit + " ago";
  }
  document.addEventListener("htmx:after:swap", () => ages(document));
  setInterval(() => ages(document), 1000);

  // The theme: the button says what it would change to.
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  function label() {
    for (const b of document.querySelectorAll("[data-theme-toggle]")) {
      b.hidden = false;
      b.querySelector("[data-label]").textContent = dark() ? "Light" : "Dark";
    }
  }
  document.addEventListener("click", (e) => {
    if (!e.target.closest?.("[data-theme-toggle]")) return;
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("assay-theme", root.dataset.theme); } catch { /* this page only */ }
    label();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);

  // Dialogs: a link to a form opens it in place; without this it is a page.
  const dialog = () => document.getElementById("dialog");
  document.addEventListener("click", async (e) => {
    const link = e.target.closest?.("a[data-dialog]");
    if (!link || e.ctrlKey || e.metaKey || e.shiftKey || !dialog()?.showModal) return;
    e.preventDefault();
    try {
      const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
      if (answer.redirected || !answer.ok && answer.status !== 403) throw new Error(String(answer.status));
      dialog().innerHTML = await answer.text();
      htmx.process(dialog());
      dialog().showModal();
    } catch { location.href = link.href; }
  });
  document.addEventListener("click", (e) => {
    if (!e.target.closest?.("[data-close]") || !dialog()?.open) return;
    e.preventDefault();
    dialog().close();
  });

  // Sections named in the address are opened.
  function open() {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let d = target.closest("details") ?? target.querySelector(":scope > details"); d; d = d.parentElement?.closest("details")) d.open = true;
  }
  addEventListener("hashchange", open);

  const ready = () => { label(); ages(document); open(); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready); else ready();
})();
