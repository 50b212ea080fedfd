/** PURE. The server counts characters (code points), a browser UTF-16 units: they differ after emoji and their like. */

const PAIR = /[\ud800-\udbff][\udc00-\udfff]/g;

/** Translates offsets of one text. */
export class Characters {
  /** The offset in characters of each character that takes two units. */
  private readonly wide: number[] = [];

  constructor(text: string) {
    for (const match of text.matchAll(PAIR)) this.wide.push(match.index - this.wide.length);
  }

  /** The offset in units of an offset in characters. */
  toUnits(characters: number): number {
    return characters + this.wideBefore(characters);
  }

  private wideBefore(characters: number): number {
    let low = 0;
    let high = this.wide.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.wide[middle] ?? 0) < characters) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
