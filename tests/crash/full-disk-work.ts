/**
 * Does a work of `work.ts` while the disk fills up before one of its steps: `node full-disk-work.ts ROOT KIND [STEP]` where ROOT is a small
 * file system. Prints as JSON what the work ended with; then there is room again, the store must be whole, and the work succeed.
 */
import fs from "node:fs";
import path from "node:path";
import { FirnError } from "@firn/formats";
import { hasErrorCode, machineError, verifyStore } from "@firn/store";
import { interceptSteps } from "./seam.ts";
import { openTestStore, prepare, type Work, work } from "./work.ts";

const [, , root = "", kind = "", step] = process.argv;
const filler = path.join(root, "filler");
const { openSync, writeSync, closeSync, unlinkSync, existsSync } = fs;

/** Takes all the room that there is. */
function fill(): void {
  const fd = openSync(filler, "w");
  for (let size = 1 << 20; size > 0; ) {
    try {
      writeSync(fd, Buffer.alloc(size));
    } catch (error) {
      if (!hasErrorCode(error, "ENOSPC")) throw error;
      size >>= 1;
    }
  }
  closeSync(fd);
}

/** What the work ended with: the code of its error, or the error itself when it is none that a user can read. */
async function outcome(): Promise<string> {
  try {
    await work(root, kind as Work);
    return "done";
  } catch (error) {
    const known = error instanceof FirnError ? error : machineError(error);
    return known === undefined ? `unknown: ${error instanceof Error ? error.stack : String(error)}` : known.code;
  }
}

async function wholeStore(): Promise<boolean> {
  const store = await openTestStore(root);
  try {
    return !(await verifyStore(store, { checkContents: true }));
  } finally {
    await store.close();
  }
}

await prepare(root, kind as Work);
let steps = 0;
let counting = true;
interceptSteps(() => {
  if (counting && steps++ === Number(step)) fill();
});
const ended = await outcome();
counting = false;
if (existsSync(filler)) unlinkSync(filler);
const whole = await wholeStore();
const again = await outcome();
const left = fs.readdirSync(path.join(root, "nix/var/nix/builds"));
process.stdout.write(JSON.stringify({ steps, ended, whole, again, wholeAfter: await wholeStore(), left }));
