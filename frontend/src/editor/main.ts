/** The editor as a part of its own: loaded with the first page that has one. */

import "./editor.css";
import { ConfigEditor } from "./element";

customElements.define("config-editor", ConfigEditor);
