import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { main } from "../support/program.ts";

function evaluate(home: string, file: string, kill = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ["--disable-warning=ExperimentalWarning", main, "nix-instantiate", "--eval", "--strict", file];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, HOME: home, XDG_CACHE_HOME: path.join(home, "cache"), NIX_REMOTE: "dummy://" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
      if (kill) child.kill("SIGKILL");
    });
    child.on("error", reject);
    child.on("close", () => resolve(out));
  });
}

it("evaluations at once, and killed ones, share the kept code without harm", { timeout: 120_000 }, async () => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "code-"));
  const library = Array.from({ length: 700 }, (_, i) => `  f${i} = a: a + ${i};`).join("\n");
  fs.writeFileSync(path.join(home, "lib.nix"), `{\n${library}\n}\n`);
  fs.writeFileSync(
    path.join(home, "main.nix"),
    // Nine files are more than the command's own thread takes on, which looks at no cache.
    `let l = import ./lib.nix; read = builtins.genList (_: builtins.readFile ./lib.nix) 9; in
     builtins.deepSeq read (map (n: l.\${"f" + toString n} 1) (builtins.genList (n: n) 700))\n`,
  );
  const file = path.join(home, "main.nix");
  const expected = await evaluate(home, file);
  expect(expected).toContain("700 ]");
  const store = path.join(home, "cache/firn/code");
  expect(fs.readdirSync(store).filter((name) => name.endsWith(".code"))).toHaveLength(1);
  fs.rmSync(store, { recursive: true });
  const answers = await Promise.all([1, 2, 3].map(() => evaluate(home, file)));
  for (let i = 0; i < 3; i++) {
    fs.rmSync(store, { recursive: true });
    await evaluate(home, file, true);
    answers.push(await evaluate(home, file));
  }
  expect(answers).toEqual(answers.map(() => expected));
  fs.rmSync(home, { recursive: true });
});
