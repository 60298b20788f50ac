// Drives the pages of a running `assay run --demo` as people do, and prints what was
// wrong as JSON: nothing, when all is well. Called by TestBrowserDemo with the folder of
// node's modules, the browser, the link to act by and a folder for screenshots.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";

const [modules, executable, link, shots] = process.argv.slice(2);
const require = createRequire(path.join(modules, "node_modules", "/"));
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const origin = new URL(link).origin;
const patience = 240_000;
const faults = [];
const fault = (where, what) => faults.push(`${where}: ${what}`);

const browser = await chromium.launch({ executablePath: executable, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
let where = "start";

// watched reports what a page must not do.
function watched(page) {
  page.setDefaultTimeout(patience);
  page.on("console", (m) => { if (["error", "warning"].includes(m.type())) fault(where, `console: ${m.text()}`); });
  page.on("pageerror", (e) => fault(where, `script: ${e.message}`));
  page.on("request", (r) => { if (!r.url().startsWith(origin + "/")) fault(where, `request to ${r.url()}`); });
  page.on("response", (r) => { if (r.status() >= 400) fault(where, `${r.status()} from ${r.url()}`); });
  return page;
}

async function accessible(page, name) {
  where = name;
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const v of violations) {
    if (["serious", "critical"].includes(v.impact)) {
      fault(name, `axe ${v.impact} ${v.id}: ${v.help} (${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join("; ")})`);
    }
  }
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (over > 0) fault(name, `scrolls sideways by ${over} pixels`);
}

async function shoot(page, name, whole = true) {
  await page.screenshot({ path: path.join(shots, name + ".png"), fullPage: whole });
}

const light = await browser.newContext({ viewport: { width: 1280, height: 860 }, colorScheme: "light" });
const page = watched(await light.newPage());

// With the link of the terminal to the list.
await page.goto(link);
await page.waitForURL((u) => u.pathname !== "/login");
await page.goto(origin + "/");
await page.getByRole("heading", { level: 1, name: "Experiments" }).waitFor();

// The guard kills new-search; the list says so without being loaded again.
where = "list";
await page.evaluate(() => { window.sameDocument = true; });
await page.locator("tr", { hasText: "new-search" }).getByText("Stopped", { exact: true }).waitFor();
await page.locator("tr", { hasText: "price-badge" }).getByText("Split broken").waitFor();
if (!(await page.evaluate(() => window.sameDocument))) fault(where, "the page was loaded again to change");
await page.getByText("Can I trust the data?").waitFor();
await accessible(page, "list");
await shoot(page, "list-light");

// By keyboard: the first stop leads to the content.
await page.keyboard.press("Tab");
if ((await page.evaluate(() => document.activeElement.textContent)) !== "Skip to the content") fault(where, "the first stop of the keyboard is not the skip link");

// Searching narrows the list in place, and the search stays focused.
await page.getByRole("searchbox").fill("ranking");
await page.waitForFunction(() => document.querySelectorAll("table.list tbody tr").length === 1);
if ((await page.evaluate(() => document.activeElement.id)) !== "q") fault(where, "searching took the focus away");
await page.waitForURL((u) => u.search.includes("q=ranking"));

// Why was it stopped: the second click.
where = "stopped";
await page.getByRole("link", { name: "new-search" }).click();
await page.getByRole("status").getByText("Stopped").waitFor();
await page.locator(".steps .done", { hasText: "read back as off" }).waitFor();
await accessible(page, "stopped");
await shoot(page, "stopped-light");

// An analysis otherwise than planned: the form, its progress without loading again, the
// result, marked.
where = "analysis";
await page.goto(origin + "/experiments/checkout-button");
await page.getByRole("link", { name: /Exploratory analyses/ }).click();
await page.getByRole("link", { name: "New analysis…" }).click();
await page.locator("input[name=name]").fill("phones");
await page.locator("input[name=window]").fill("10m");
await page.locator("textarea[name=where]").fill("device=mobile");
await page.getByRole("button", { name: "Analyse" }).click();
await page.waitForURL((u) => u.pathname.endsWith("/analyses"));
await page.evaluate(() => { window.sameDocument = true; });
await page.getByRole("link", { name: "See it" }).waitFor();
if (!(await page.evaluate(() => window.sameDocument))) fault(where, "the page was loaded again to show that it is done");
await accessible(page, "analyses");
await shoot(page, "analyses-light");
await page.getByRole("link", { name: "See it" }).click();
await page.getByRole("heading", { name: "Exploratory" }).waitFor();
await page.getByText('units first exposed with device "mobile"').waitFor();
await page.locator("svg.interval").first().waitFor();
await accessible(page, "analysis");
await shoot(page, "analysis-light");

// A drill shows the call, and turns nothing off; a note is a line of the log.
where = "drill";
await page.goto(origin + "/experiments/checkout-button");
await page.getByRole("link", { name: "Try a kill out…" }).click();
await page.getByRole("dialog").locator("textarea[name=reason]").fill("the monthly drill");
await page.getByRole("dialog").getByRole("button", { name: "Try it out" }).click();
await page.getByRole("dialog").getByRole("heading", { name: "Tried out" }).waitFor();
await page.getByRole("dialog").getByText("Nothing was turned off").waitFor();
await accessible(page, "drill");
await shoot(page, "drill-light", false);
await page.getByRole("dialog").getByRole("link", { name: /Back/ }).click();
await page.getByRole("link", { name: "Add a note…" }).click();
await page.getByRole("dialog").locator("textarea[name=reason]").fill("a campaign began");
await page.getByRole("dialog").getByRole("button", { name: "Write it down" }).click();
await page.getByRole("dialog").getByText(/The note is line/).waitFor();
await page.getByRole("dialog").getByRole("link", { name: /Back/ }).click();
await page.locator("#decisions").getByText("a campaign began").first().waitFor();

// List → experiment → kill with a reason → the decision appears.
where = "experiment";
await page.goto(origin + "/");
await page.getByRole("link", { name: "checkout-button" }).click();
await page.getByRole("heading", { name: "Metrics against control" }).waitFor();
await page.locator("svg.history").first().waitFor();
await page.locator("details", { hasText: "How each question is answered" }).first().evaluate((d) => { d.open = true; });
await page.waitForResponse((r) => r.url().includes("/experiments/checkout-button") && [200, 304].includes(r.status()));
await page.waitForTimeout(300);
if (!(await page.locator("details", { hasText: "How each question is answered" }).first().evaluate((d) => d.open))) fault(where, "what was opened is closed by an update");
await accessible(page, "experiment");
await shoot(page, "experiment-light");
await page.evaluate(() => { window.sameDocument = true; });
await page.getByRole("link", { name: "Kill…" }).click();
const dialog = page.getByRole("dialog");
await dialog.getByRole("heading", { name: "Kill checkout-button?" }).waitFor();
await accessible(page, "dialog");
await shoot(page, "dialog-light", false);
await dialog.getByRole("button", { name: "Kill checkout-button" }).click(); // without a reason nothing is sent
if (await dialog.getByText("Done").count()) fault(where, "it was killed without a reason");
await dialog.locator("textarea[name=reason]").fill("support is flooded with <b>complaints</b>");
await dialog.getByRole("button", { name: "Kill checkout-button" }).click();
await dialog.getByRole("heading", { name: "Done" }).waitFor();
await dialog.getByText("the switch was read back").waitFor();
await dialog.getByRole("link", { name: /Back/ }).click();
await page.getByRole("status").getByText("Stopped").waitFor();
await page.locator("#decisions").getByText("support is flooded with <b>complaints</b>").first().waitFor();
if (!(await page.evaluate(() => window.sameDocument))) fault(where, "the page was loaded again to show the decision");

// A unit's events; the unit stands in no address.
where = "explain";
await page.goto(origin + "/explain");
await page.locator("select[name=experiment]").selectOption("checkout-button");
await page.locator("input[name=unit]").fill("nobody-is-called-that");
await page.getByRole("button", { name: "Explain" }).click();
await page.getByText("No event of this unit is stored").waitFor();
if (page.url().includes("nobody")) fault(where, "the unit is in the address");

// Every page, in each dress.
const state = await light.storageState();
for (const [dress, options] of Object.entries({
  light: { viewport: { width: 1280, height: 860 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 860 }, colorScheme: "dark" },
  mobile: { viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true, isMobile: true },
})) {
  const context = await browser.newContext({ ...options, storageState: state });
  const other = watched(await context.newPage());
  for (const [name, address] of Object.entries({
    list: "/", stopped: "/experiments/new-search", experiment: "/experiments/checkout-button", split: "/experiments/price-badge", blind: "/experiments/onboarding",
    decisions: "/decisions", data: "/data", planner: "/planner?kind=share&mean=4&lift=5&per_day=12000", explain: "/explain", analyses: "/experiments/checkout-button/analyses", analysis: "/experiments/checkout-button/analyses/phones", analyze: "/experiments/checkout-button/analyze", kill: "/experiments/price-badge/kill", stop: "/stop", login: "/login",
  })) {
    where = `${name} ${dress}`;
    await other.goto(origin + address);
    await other.locator("h1").waitFor();
    await accessible(other, where);
    if (!["list", "stopped", "experiment"].includes(name) || dress !== "light") await shoot(other, `${name}-${dress}`);
  }
  // The toggle wins over the system, and is remembered.
  await other.goto(origin + "/");
  const before = await other.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await other.locator("[data-theme-toggle]").click();
  await other.reload();
  if (before === (await other.evaluate(() => getComputedStyle(document.body).backgroundColor))) fault(where, "the theme that was chosen is forgotten");
  await context.close();
}
await browser.close();
console.log(JSON.stringify(faults));
