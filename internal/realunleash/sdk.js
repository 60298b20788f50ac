// A product of somebody: it asks Unleash's own SDK for flags, whose names are its
// arguments, and prints a line {"flag","on"} at the start and whenever one changes.
const { initialize } = require("unleash-client");

const flags = process.argv.slice(2);
const shown = new Map();

const client = initialize({
  url: process.env.UNLEASH_URL + "/api/",
  appName: "product",
  customHeaders: { Authorization: process.env.UNLEASH_TOKEN },
  refreshInterval: 500,
  disableMetrics: true,
  // What an earlier run has left on disk must not answer.
  storageProvider: { get: async () => undefined, set: async () => {} },
});

function show() {
  for (const flag of flags) {
    const on = client.isEnabled(flag);
    if (shown.get(flag) === on) continue;
    shown.set(flag, on);
    console.log(JSON.stringify({ flag, on }));
  }
}

client.on("error", (e) => console.error(e.message));
client.on("synchronized", () => setInterval(show, 50));
setInterval(() => {}, 60_000); // the SDK's own timers let the program end
