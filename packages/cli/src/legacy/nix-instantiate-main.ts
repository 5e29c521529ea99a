/** Development entry: `node nix-instantiate-main.ts …` until the command line proper dispatches here. */
import fs from "node:fs";
import { runNixInstantiate } from "./nix-instantiate.ts";

process.exitCode = await runNixInstantiate(process.argv.slice(2), {
  cwd: process.cwd(),
  environment: process.env,
  out: (bytes) => void fs.writeSync(1, Buffer.from(bytes, "latin1")),
  error: (text) => void fs.writeSync(2, text),
  readStdin: () => fs.readFileSync(0, "latin1"),
});
