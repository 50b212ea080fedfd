/** `<live-socket>`: joins the page, the refresher and the one WebSocket of the tab. */

import htmx from "htmx.org";
import { LiveConnection, type LiveState } from "./connection";
import { idsFor, liveElements, topicsIn } from "./hints";
import { LiveLamp } from "./lamp";
import { fetchPage, isBusy } from "./page";
import { Refresher } from "./refresh";

export class LiveSocket extends HTMLElement {
  private readonly refresher = new Refresher({ fetchPage, isBusy, afterMorph: (element) => this.morphed(element) });
  private readonly connection = new LiveConnection(
    () => new WebSocket(socketAddress()),
    {
      onState: (state) => this.say(state),
      onHint: (topic) => this.hinted(topic),
      onResync: () => this.refresher.refreshNow(liveElements(document).map((element) => element.id)),
    },
  );
  private readonly missed = new Set<string>();
  private started = false;

  connectedCallback(): void {
    if (this.started) return;
    this.started = true;
    this.connection.start(topicsIn(document));
    addEventListener("online", () => this.connection.retryNow());
    addEventListener("pagehide", () => this.connection.stop());
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.connection.resume();
    });
    document.addEventListener("visibilitychange", () => this.seen());
    document.addEventListener("htmx:afterSettle", () => this.connection.subscribe(topicsIn(document)));
  }

  private hinted(topic: string): void {
    if (document.hidden) this.missed.add(topic);
    else this.refresher.request(idsFor(document, topic));
  }

  /** A tab in the background only remembers; it fetches once when it is looked at. */
  private seen(): void {
    if (document.hidden) return;
    this.connection.retryNow();
    const ids = [...this.missed].flatMap((topic) => idsFor(document, topic));
    this.missed.clear();
    this.refresher.request(ids);
  }

  private morphed(element: HTMLElement): void {
    htmx.process(element);
    this.connection.subscribe(topicsIn(document));
    element.dispatchEvent(new CustomEvent("live:updated", { bubbles: true }));
  }

  private say(state: LiveState): void {
    const lamp = document.querySelector("live-lamp");
    if (lamp instanceof LiveLamp) lamp.show(state);
  }
}

function socketAddress(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live/`;
}
