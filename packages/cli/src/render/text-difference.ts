/** The lines in which two texts differ. Long texts of one line are compared by their words. */

/** One line of a comparison: removed, added, or the same on both sides. */
export interface DifferenceLine {
  readonly sign: "-" | "+" | " ";
  readonly text: string;
}

const longLine = 80;
/** Limit of cells in the table of common subsequences; above it all lines count as replaced. */
const maxCells = 4_000_000;

/** Compares two texts; `context` is the number of equal lines that are kept around each difference. */
export function textDifference(from: string, to: string, context = 1): DifferenceLine[] {
  const isShort = Math.max(from.length, to.length) <= longLine;
  const separator = from.includes("\n") || to.includes("\n") || isShort ? "\n" : " ";
  return withContext(lineDifference(from.split(separator), to.split(separator)), context);
}

function lineDifference(from: readonly string[], to: readonly string[]): DifferenceLine[] {
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start++;
  let [fromEnd, toEnd] = [from.length, to.length];
  while (fromEnd > start && toEnd > start && from[fromEnd - 1] === to[toEnd - 1]) {
    fromEnd--;
    toEnd--;
  }
  const same = (text: string): DifferenceLine => ({ sign: " ", text });
  return [
    ...from.slice(0, start).map(same),
    ...middleDifference(from.slice(start, fromEnd), to.slice(start, toEnd)),
    ...from.slice(fromEnd).map(same),
  ];
}

/** Compares the middle parts by the longest common subsequence. */
function middleDifference(from: readonly string[], to: readonly string[]): DifferenceLine[] {
  const width = to.length + 1;
  if ((from.length + 1) * width > maxCells) {
    return [
      ...from.map((text): DifferenceLine => ({ sign: "-", text })),
      ...to.map((text): DifferenceLine => ({ sign: "+", text })),
    ];
  }
  const lengths = new Uint32Array((from.length + 1) * width);
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        from[i] === to[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const lines: DifferenceLine[] = [];
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    const isCommon = i < from.length && j < to.length && from[i] === to[j];
    if (isCommon) {
      lines.push({ sign: " ", text: from[i]! });
      i++;
      j++;
    } else if (j === to.length || (i < from.length && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!)) {
      lines.push({ sign: "-", text: from[i++]! });
    } else {
      lines.push({ sign: "+", text: to[j++]! });
    }
  }
  return lines;
}

function withContext(lines: readonly DifferenceLine[], context: number): DifferenceLine[] {
  const near = lines.map(() => false);
  lines.forEach(({ sign }, index) => {
    if (sign !== " ") near.fill(true, Math.max(0, index - context), index + context + 1);
  });
  return lines.filter((_, index) => near[index]);
}
