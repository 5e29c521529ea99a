/** `--build-host`: a system is evaluated here, built there, and copied back. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { main } from "../support/program.ts";
import { makePlace } from "../support/run-firn.ts";

const file = fileURLToPath(new URL("./nixos/system.nix", import.meta.url));

/** Starts here what ssh would start there, and writes down how it was called. */
const fakeSsh = (directory: string): string => `#!/bin/sh
echo "$*" >>${directory}/log
case $1 in -O) exit 255 ;; esac
case "$*" in *"LocalCommand=echo started"*) echo started ;; esac
while [ $# -gt 0 ] && [ "$1" != -- ]; do shift; done
shift
PATH=${directory}/far-bin:$PATH NIX_REMOTE=${directory}/far NIX_CONFIG='substituters =' exec sh -c "$*"
`;

test("a system is built on the build host, and is in this machine's store then", async () => {
  const place = makePlace();
  const { directory } = place;
  try {
    for (const name of ["bin", "far-bin"]) mkdirSync(join(directory, name));
    writeFileSync(join(directory, "bin/ssh"), fakeSsh(directory), { mode: 0o755 });
    const program = `#!/bin/sh\nexec ${process.execPath} --disable-warning=ExperimentalWarning ${main} nix-store "$@"\n`;
    writeFileSync(join(directory, "far-bin/nix-store"), program, { mode: 0o755 });
    // Nothing can be built here.
    const env = {
      PATH: `${join(directory, "bin")}:${process.env.PATH}`,
      NIX_CONFIG: "substituters =\nflake-registry =\nmax-jobs = 0\nbuilders =\n",
    };
    const words = ["os", "build", "--file", file, "--attr", "a", "--build-host", "admin@far"];
    const { code, out, err } = await place.firnWith({ env }, ...words);
    expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
    const path = out.trim();
    for (const store of [place.store, join(directory, "far")])
      expect(readdirSync(join(store, path))).toContain("nixos-version");
    expect(readFileSync(join(directory, "log"), "utf8")).toMatch(/ admin@far -- nix-store --serve --write/);
    expect((await place.firnWith({ env }, ...words.slice(0, -1), "far host")).err).toContain("far host");
  } finally {
    place.remove();
  }
}, 60_000);
