/** What the API says of components: `/api/v1/catalog/…`. */

import type { Kind } from "../yaml/outline";

export interface Component {
  kind: Kind;
  type: string;
  /** Older names that this version takes too. */
  aliases: string[];
  /** Signal -> stability; of an extension empty. */
  signals: Record<string, string>;
  /** Of a connector: [from, to, stability]. */
  pairs: { from: string; to: string; stability: string }[];
  /** Of an extension. */
  stability: string | null;
  deprecated: string;
  doc_url: string;
}

export type FieldType = "map" | "list" | "string" | "int" | "uint" | "float" | "bool" | "duration" | "any";

export interface Field {
  name: string;
  type: FieldType;
  default: string | number | boolean | null;
  enum: string[];
  minimum: number | null;
  maximum: number | null;
  required: boolean;
  secret: boolean;
  deprecated: string;
  /** The known keys of a map. */
  fields: Field[];
  /** What the items of a list are, or the values of a map whose keys have any name. */
  items: Field | null;
  /** A map that takes other keys too. */
  open: boolean;
}

export interface Settings extends Component {
  /** null when the settings are not known. */
  config: Field | null;
}
