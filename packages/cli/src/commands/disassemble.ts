/** `firn __disassemble FILE`: the lowered code of a file as text, for people who work on the evaluator. */
import { resolve } from "node:path";
import { byteStringOf } from "@firn/formats";
import { createMemoryHost, Evaluator } from "@firn/language";
import * as fs from "@firn/store/files";
import type { Command } from "../grammar/command.ts";

/** `firn __disassemble`. */
export const command: Command = {
  positionals: [{ label: "file" }],
  flags: [],
  async run({ positionals }, io) {
    const file = resolve(io.cwd, positionals[0] ?? "");
    const text = fs.readFileSync(file, "latin1");
    const directory = byteStringOf(resolve(file, ".."));
    io.out(new Evaluator(createMemoryHost()).disassemble({ kind: "string", text, directory }));
    return 0;
  },
};
