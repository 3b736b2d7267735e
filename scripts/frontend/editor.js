// What the query page uses of CodeMirror 6, as one global.
export { EditorState } from "@codemirror/state";
export { EditorView, keymap, lineNumbers, highlightActiveLine, highlightActiveLineGutter, drawSelection, highlightSpecialChars } from "@codemirror/view";
export { defaultKeymap, history, historyKeymap, toggleComment } from "@codemirror/commands";
export { autocompletion, completionKeymap, closeBrackets, closeBracketsKeymap, startCompletion } from "@codemirror/autocomplete";
export { bracketMatching, HighlightStyle, syntaxHighlighting, indentOnInput } from "@codemirror/language";
export { setDiagnostics, lintGutter } from "@codemirror/lint";
export { sparql } from "codemirror-lang-sparql";
export { tags } from "@lezer/highlight";
