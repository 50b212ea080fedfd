/** The grammar that colours and folding go by, made so that a key has little of it read again. */

import { yamlLanguage } from "@codemirror/lang-yaml";
import { LanguageSupport } from "@codemirror/language";

/**
 * Nodes are packed into buffers, and what lies in one buffer is read again as a whole. In the grammar's own size, 1024,
 * a mapping of a thousand lines lies in few of them: a key in it took as long as reading the whole text.
 */
const BUFFER_LENGTH = 64;

export const language = yamlLanguage.configure({ bufferLength: BUFFER_LENGTH });

export const yaml = (): LanguageSupport => new LanguageSupport(language);
