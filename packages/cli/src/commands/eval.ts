import type { Command } from "../grammar/command.ts";
export const command: Command = { positionals: [], flags: [], run: async () => 1 };
