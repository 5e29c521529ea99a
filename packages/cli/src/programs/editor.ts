/** The user's editor. */

/** Returns the command that opens a file in `$EDITOR`, at a line if the editor takes one; line 0 is none. The file is its last argument. */
export function editorCommand(
  { EDITOR: editor = "cat" }: Readonly<Record<string, string | undefined>>,
  line: number,
): { readonly program: string; readonly args: readonly string[] } {
  const [program = "cat", ...args] = editor.split(/[ \t\n\r]+/).filter((word) => word !== "");
  return { program, args: line > 0 && /emacs|nano|vim|kak/.test(editor) ? [...args, `+${line}`] : args };
}
