/** The script of every page. It only adds to what the server rendered; nothing waits for it. */

import "./app.css";
import "htmx.org";
import { LiveLamp } from "./live/lamp";
import { LiveSocket } from "./live/socket";
import { keepTimesFresh } from "./time/refresh";
import { DraftAutosave } from "./ui/autosave";
import { CopyButton } from "./ui/copy";
import { ConfirmDialog, listenForOpeners } from "./ui/dialogs";
import { guardDoubleSubmit, letButtonsGoFirst, tidyFilters } from "./ui/forms";
import { holdLongForms } from "./ui/held";
import { listenForKeys } from "./ui/keyboard";
import { loadEditors } from "./ui/lazily";
import { tendMenus } from "./ui/menus";
import { followSelection } from "./ui/selection";
import { defineMorphSwap } from "./ui/swap";
import { showCurrentTab } from "./ui/tabs";
import { ThemeSwitch } from "./ui/theme";
import { listenForToasts, ToastItem } from "./ui/toasts";
import { showUploads } from "./ui/upload";

document.documentElement.classList.add("scripted");
defineMorphSwap();

customElements.define("copy-button", CopyButton);
customElements.define("draft-autosave", DraftAutosave);
customElements.define("theme-switch", ThemeSwitch);
customElements.define("confirm-dialog", ConfirmDialog);
customElements.define("toast-item", ToastItem);
customElements.define("live-lamp", LiveLamp);
customElements.define("live-socket", LiveSocket);

listenForOpeners();
listenForToasts();
listenForKeys();
holdLongForms();
guardDoubleSubmit();
tidyFilters();
letButtonsGoFirst();
tendMenus();
followSelection();
keepTimesFresh();
showCurrentTab();
loadEditors();
showUploads();
