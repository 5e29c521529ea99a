/** GRUB's menu, made of the entries that systemd-boot reads: the same files and generations, another loader. */

/** Settings of the menu. */
export interface GrubMenuSettings {
  /** Name of the entry that starts, without `.conf` and its count of tries. */
  readonly start: string;
  /** Seconds; undefined waits for a key. */
  readonly timeout: number | undefined;
  /** Path of the directory of kernels on its file system. */
  readonly place: string;
  /** Text of the configuration, before and after the entries. */
  readonly extraConfig: string;
  readonly extraEntries: string;
}

/** Returns the text of `grub/grub.cfg`. `entries` are the texts of `loader/entries` by file name. */
export function grubMenu(entries: ReadonlyMap<string, string>, settings: GrubMenuSettings): string {
  const menu = [...entries]
    .map(([name, text]) => ({ id: name.replace(/(\+[0-9-]+)?\.conf$/, ""), fields: fieldsOf(text) }))
    .sort((a, b) => orderOf(b) - orderOf(a) || (a.id < b.id ? -1 : 1));
  return `# Made by firn; changes are lost.
set timeout=${settings.timeout ?? -1}
set default=${quoted(settings.start)}
${settings.extraConfig}
${menu.map((entry) => menuEntry(entry, settings.place)).join("")}${settings.extraEntries}
`;
}

interface MenuEntry {
  readonly id: string;
  readonly fields: ReadonlyMap<string, string>;
}

const orderOf = ({ id }: MenuEntry): number => Number(/^firn[-_]([0-9]+)/.exec(id)?.[1] ?? 0);

function menuEntry({ id, fields }: MenuEntry, place: string): string {
  const field = (name: string): string => fields.get(name) ?? "";
  return `menuentry ${quoted(`${field("title")}, ${field("version")}`)} --id ${quoted(id)} {
  linux ${place}${field("linux")} ${words(field("options"))}
  initrd ${field("initrd")
    .split(" ")
    .map((file) => place + file)
    .join(" ")}
}
`;
}

/** Returns the fields of an entry; several lines of one name, such as ramdisks, are one. */
function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [, name = "", value = ""] of text.matchAll(/^(\S+) +(.*)$/gm)) {
    const earlier = fields.get(name);
    fields.set(name, earlier === undefined ? value : `${earlier} ${value}`);
  }
  return fields;
}

/** Text as one word of GRUB's language. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The kernel's parameters as words of GRUB's language, which knows double quotes as the kernel does. */
const words = (text: string): string => text.replace(/[$;|&{}<>()#'\\]/g, "\\$&");
