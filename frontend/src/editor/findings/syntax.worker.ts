/** Looks for faults of syntax beside the page: in a long text that takes longer than a key may take. */

import { faultsIn } from "./syntax";

addEventListener("message", (event: MessageEvent<string>) => postMessage(faultsIn(event.data)));
