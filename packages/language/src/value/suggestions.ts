/** "Did you mean …?": names at an edit distance of at most two, nearest first. */

const limit = 5;
const maxDistance = 2;

function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const current = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const substitution = previous[j]! + (a[i] === b[j] ? 0 : 1);
      current.push(Math.min(previous[j + 1]! + 1, current[j]! + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length]!;
}

export function suggest(names: Iterable<string>, wanted: string): string[] {
  const near: { name: string; distance: number }[] = [];
  for (const name of names) {
    if (Math.abs(name.length - wanted.length) > maxDistance) continue;
    const d = distance(wanted, name);
    if (d <= maxDistance) near.push({ name, distance: d });
  }
  near.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return near.slice(0, limit).map((entry) => entry.name);
}
