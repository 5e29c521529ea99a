/** Near names for a misspelt one: the reference's rule (distance at most 2, at most five, nearest first). */

/** Candidates within two edits of `word`, nearest first; the word itself is none. */
export function suggestions(word: string, candidates: Iterable<string>): string[] {
  const scored: [number, string][] = [];
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance <= 2 && distance > 0) scored.push([distance, candidate]);
  }
  scored.sort(([a, x], [b, y]) => a - b || (x < y ? -1 : 1));
  return scored.slice(0, 5).map(([, candidate]) => candidate);
}

/** "a", "a or b", "one of a, b or c". */
export function didYouMean(names: readonly string[]): string {
  if (names.length === 0) return "";
  if (names.length === 1) return `Did you mean ${names[0]}?`;
  return `Did you mean one of ${names.slice(0, -1).join(", ")} or ${names.at(-1)}?`;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replace, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
