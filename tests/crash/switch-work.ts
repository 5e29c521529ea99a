/** A switch between two systems: `node switch-work.ts ROOT SYSTEM STEP`; without STEP it tells its steps. */
import { switchMachine } from "../support/file-machine.ts";
import { interceptSteps } from "./seam.ts";

const [, , root = "", system = "", limit] = process.argv;
let steps = 0;
const seen: string[] = [];
interceptSteps((step, subject) => {
  if (limit === undefined) seen.push(`${step} ${subject.replaceAll("\n", " ")}`);
  else if (steps++ === Number(limit)) process.kill(process.pid, "SIGKILL");
});
process.on("exit", () => process.stdout.write(seen.splice(0).join("\n")));
await switchMachine(root, system, { failing: process.env.FIRN_TEST_FAILING?.split(" ") ?? [] });
