/** The TypeScript examples of a Markdown page. */
export function examplesOf(page: string): string[] {
  return [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
}

/** The lines that an example says it prints: those after `// =>`. */
export function outputClaims(code: string): string[] {
  return [...code.matchAll(/^ *\/\/ => (.*)$/gm)].map((match) => match[1] ?? "");
}
