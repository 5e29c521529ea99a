/** XML as the reference writes it: one element a line, attributes in the order of their names. */

const escapes: Readonly<Record<string, string>> = {
  '"': "&quot;",
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  "\n": "&#xA;",
};

/** Builds a document, line by line. */
export class XmlWriter {
  readonly #write: (text: string) => void;
  readonly #open: string[] = [];

  /** Begins a document; `write` takes its text. */
  constructor(write: (text: string) => void) {
    this.#write = write;
    write("<?xml version='1.0' encoding='utf-8'?>\n");
  }

  /** Writes an element with elements inside; it is closed when they fail, too. */
  async element(
    name: string,
    attributes: Readonly<Record<string, string>>,
    content: () => Promise<void>,
  ): Promise<void> {
    this.#write(`${this.#indent()}<${name}${attributeText(attributes)}>\n`);
    this.#open.push(name);
    try {
      await content();
    } finally {
      this.#open.pop();
      this.#write(`${this.#indent()}</${name}>\n`);
    }
  }

  /** Writes an element with attributes alone. */
  empty(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#write(`${this.#indent()}<${name}${attributeText(attributes)} />\n`);
  }

  #indent(): string {
    return "  ".repeat(this.#open.length);
  }
}

function attributeText(attributes: Readonly<Record<string, string>>): string {
  return Object.keys(attributes)
    .sort()
    .map((name) => ` ${name}="${attributes[name]!.replaceAll(/["<>&\n]/g, (char) => escapes[char]!)}"`)
    .join("");
}
