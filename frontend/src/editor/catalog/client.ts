/** Asks the server for its catalogs, once each. What cannot be had is simply not known: nothing is offered then. */

import type { Kind } from "../yaml/outline";
import { nearest } from "./known";
import type { Component, Field, Settings } from "./shapes";

export type FetchJson = (url: string) => Promise<unknown>;

export class CatalogClient {
  private readonly answers = new Map<string, Promise<unknown>>();

  /**
   * prefix: `/api/v1/catalog/`, or "" for none · version: the chosen collector version, "" for the newest.
   */
  constructor(
    private readonly prefix: string,
    private readonly version: () => string,
    private readonly fetchJson: FetchJson,
  ) {}

  /** The components of the version. */
  async components(): Promise<readonly Component[]> {
    const version = await this.nearestVersion();
    if (version === null) return [];
    return listed<Component>(await this.ask(`${version}/components/`), "components");
  }

  /** The settings of a component by its present name; null when they are not known. */
  async settings(kind: Kind, type: string): Promise<Field | null> {
    const version = await this.nearestVersion();
    if (version === null) return null;
    const answer = await this.ask(`${version}/components/${kind}/${encodeURIComponent(type)}/`);
    return (answer as Settings | null)?.config ?? null;
  }

  private async nearestVersion(): Promise<string | null> {
    if (!this.prefix) return null;
    return nearest(listed<string>(await this.ask(""), "versions"), this.version().trim());
  }

  private ask(path: string): Promise<unknown> {
    const url = this.prefix + path;
    const known = this.answers.get(url);
    if (known) return known;
    const asked = this.fetchJson(url).catch(() => {
      this.answers.delete(url);
      return null;
    });
    this.answers.set(url, asked);
    return asked;
  }
}

/** The list that an answer holds under a name. */
function listed<T>(answer: unknown, name: string): T[] {
  return (answer as Record<string, T[]> | null)?.[name] ?? [];
}
