// A product of somebody: it asks Unleash's own SDK for flags, whose names are its
// arguments, for 200 users, and prints a line {"flag","on","share"} at the start and
// whenever one changes: whether it is on for anybody, and for which share of them.
const { initialize } = require("unleash-client");

const users = Array.from({ length: 200 }, (_, i) => ({ userId: "user-" + i }));
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
    const share = users.filter((u) => client.isEnabled(flag, u)).length / users.length;
    if (shown.get(flag) === share) continue;
    shown.set(flag, share);
    console.log(JSON.stringify({ flag, on: share > 0, share }));
  }
}

client.on("error", (e) => console.error(e.message));
client.on("synchronized", () => setInterval(show, 50));
setInterval(() => {}, 60_000); // the SDK's own timers let the program end
