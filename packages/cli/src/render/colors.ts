/** The reference's colours, as sequences of terminals. */
export const colors = {
  normal: "\x1b[0m",
  red: "\x1b[31;1m",
  green: "\x1b[32;1m",
  blue: "\x1b[34;1m",
  magenta: "\x1b[35;1m",
  grey: "\x1b[38;5;244m",
} as const;

/** Returns a text in a colour, where a terminal shows it. */
export function painted(text: string, color: keyof typeof colors, terminal: boolean): string {
  return terminal ? `${colors[color]}${text}${colors.normal}` : text;
}
