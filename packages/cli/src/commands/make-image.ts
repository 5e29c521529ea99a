/** `firn __make-image`: makes an image of what an evaluation has used, as the work on standard input says. */
import { makeImageOf, readImageWork, stepBack } from "@firn/flake";
import type { Command } from "../grammar/command.ts";
import { lazyServices } from "../session/lazy-services.ts";
import { commandSettings } from "../session/session.ts";

/** `firn __make-image`. */
export const command: Command = {
  positionals: [],
  flags: [],
  async run(invocation, io) {
    stepBack();
    const work = readImageWork(await io.readStdin());
    const settings = commandSettings(invocation, io);
    for (const [name, value] of work.settings) settings.set(name, value);
    const opened = lazyServices(settings, io, {
      readOnly: work.config.mode.readOnly,
      evalStore: undefined,
      evaluator: () => {
        throw new Error("no flakes are evaluated for an image");
      },
    });
    try {
      return (await makeImageOf(work, opened)) ? 0 : 1;
    } finally {
      await opened.close();
    }
  },
};
