/** What a machine is switched to. */

/** What can be done with a built system. */
export type SwitchAction = "switch" | "boot" | "test" | "dry-activate";

/** A generation to go back to. */
export interface Back {
  readonly number: number;
  /** Its own link. */
  readonly link: string;
  /** The profile, when that leads to it by the time that it is activated. */
  readonly via?: string;
}

/** What to switch to. */
export interface SwitchTarget {
  readonly action: SwitchAction;
  /** Store path of the system. */
  readonly path: string;
  /** The generation to go back to; absent: the system becomes a new generation. */
  readonly back?: Back;
}
