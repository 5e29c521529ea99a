/**
 * Times and sizes of whole systems, as root on a machine that reaches the mirrors: node scripts/bench-os.ts
 * What is built already stays in the store of the test systems, so only what a change makes new is timed.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { computeClosure, copyPaths, LocalStore, requirePathInfo, storeLocation } from "@firn/store";
import { bootContainer, installSystem } from "@firn/system";
import { buildSystems, checkout, makeSystemsPlace } from "../tests/support/build-systems.ts";
import { bundled } from "./bundled.ts";

const place = makeSystemsPlace();
const machine = join(place.directory, "machine");
const seconds = (start: number): string => `${((performance.now() - start) / 1000).toFixed(2)} s`;
const report = (what: string, figure: string, wanted: string): void =>
  console.log(`${what.padEnd(52)} ${figure.padStart(10)}   wanted ${wanted}`);
const host = (name: string): string => `{ services.nginx.virtualHosts.second.locations."/".return = "200 '${name}'"; }`;

const base = `{ lib, ... }: {
  services.minidlna.enable = lib.mkForce false;
  services.nginx.enable = lib.mkForce false;
  environment.systemPackages = lib.mkForce [ ];
  programs.firn.enable = false;
}`;
const {
  media = "",
  first = "",
  small = "",
} = await buildSystems(place, { media: "{ }", first: host("first"), small: base });

const store = await LocalStore.open({ location: storeLocation({ rootDir: place.store }) });
async function closureSize(path: string): Promise<string> {
  let bytes = 0;
  for (const member of await computeClosure(store, [path])) bytes += (await requirePathInfo(store, member)).narSize;
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
report("closure: base (systemd, ssh, network, kernel)", await closureSize(small), "250 MB");
report("closure: media server, with Firn and Node.js", await closureSize(media), "700 MB");

// A name that no run before has used: the change must really be built.
const changed = `run ${Date.now()}`;
const work = join(place.directory, "work");
writeFileSync(
  join(work, "configuration.nix"),
  `{ imports = [ ${join(checkout, "examples/media-server/configuration.nix")} (${host(changed)}) ]; }`,
);
const firn = [bundled(), "os"];
const run = (...words: string[]): string =>
  execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", ...firn, ...words], {
    cwd: work,
    env: place.environment,
    encoding: "utf8",
    stdio: ["ignore", "pipe", process.env.FIRN_VERBOSE === undefined ? "ignore" : "inherit"],
  });
let start = performance.now();
const second = run("build", "./configuration.nix", "--no-link").trim();
report("changed virtual host: evaluated and built", seconds(start), "2 s");

mkdirSync(machine);
const to = await LocalStore.open({ location: storeLocation({ rootDir: machine }), requireSigs: false });
await installSystem({ system: first, from: store, to, root: machine, events: () => undefined });
await copyPaths(await computeClosure(store, [second]), { from: store, to, checkSignatures: false });
await to.close();

for (let round = 1; round <= 3; round++) {
  start = performance.now();
  const container = await bootContainer({ system: first, root: machine, realStore: join(machine, "nix/store") });
  const page = () => container.run(["curl", "-s", "-f", "-m", "1", "http://127.0.0.1/"]);
  while (!(await page()).out.includes("MiniDLNA status")) await new Promise((resolve) => setTimeout(resolve, 10));
  report(`container: boot to serving (${round} of 3)`, seconds(start), "1 s");
  if (round < 3) {
    await container.booted(60);
    await container.stop();
    continue;
  }
  await container.booted(60);
  start = performance.now();
  const { code, err } = await container.run(["firn", "os", "switch", "--store-path", second]);
  report("changed virtual host: switched, health gate included", seconds(start), "1.5 s");
  if (code !== 0) throw new Error(err);
  start = performance.now();
  await container.run(["firn", "os", "rollback"]);
  report("rolled back", seconds(start), "2 s");
  await container.kill();
}

start = performance.now();
run("build-image", "./configuration.nix", "-o", join(place.directory, "disk.img"));
report("disk image", seconds(start), "20 s");
await store.close();
rmSync(place.directory, { recursive: true, force: true });
