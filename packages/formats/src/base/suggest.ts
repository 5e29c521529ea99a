/** Near names for a misspelt one: the reference's measure and its wording. */

/** Returns the number of letters that must be inserted, deleted or replaced to turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Returns the candidates within two edits of `word`, nearest first, at most five, without the word itself. */
export function nearNames(word: string, candidates: Iterable<string>): string[] {
  const scored: [number, string][] = [];
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > 2) continue;
    const distance = editDistance(word, candidate);
    if (distance <= 2 && distance > 0) scored.push([distance, candidate]);
  }
  scored.sort(([a, x], [b, y]) => a - b || (x < y ? -1 : 1));
  return scored.slice(0, 5).map(([, candidate]) => candidate);
}

/** Returns "Did you mean a?", "Did you mean one of a, b or c?", or "" for no names. */
export function didYouMean(names: readonly string[]): string {
  if (names.length === 0) return "";
  if (names.length === 1) return `Did you mean ${names[0]}?`;
  return `Did you mean one of ${names.slice(0, -1).join(", ")} or ${names.at(-1)}?`;
}
