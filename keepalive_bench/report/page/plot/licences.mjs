// Prints the names, releases and licences of all packages in a bundle, each text once.
import { readFileSync, readdirSync } from "node:fs";

const [{ inputs }] = Object.values(JSON.parse(readFileSync("bundled.json", "utf8")).outputs);
const folders = new Set(
  Object.entries(inputs)
    .filter(([path, { bytesInOutput }]) => path.startsWith("node_modules") && bytesInOutput)
    .map(([path]) => path.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)[0]),
);
const holders = new Map();
for (const folder of [...folders].sort()) {
  const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const [, notice, text] = readFileSync(`${folder}/${file}`, "utf8")
    .trim()
    .match(/^((?:.*\n)*?Copyright.*\n)((?:.*\n?)*)$/);
  const users = holders.get(text.trim()) ?? [];
  holders.set(text.trim(), [...users, `${name} ${version}: ${notice.trim().replace(/\s+/g, " ")}`]);
}
for (const [text, users] of holders) {
  process.stdout.write(`${users.join("\n")}\n\n${text}\n\n`);
}
