// Runs caniemail and html-validate over HTML mails and prints their findings as JSON.
//   node mail_lint.mjs FOLDER-WITH-NODE_MODULES mail.html …
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, ...files] = process.argv.slice(2);
const found = createRequire(path.join(modules, "package.json"));
const { caniemail } = await import(pathToFileURL(path.join(modules, "node_modules/caniemail/dist/index.js")));
const { HtmlValidate } = found("html-validate");

// The clients that caniemail has full data for; 163, QQ and 企业微信 are not among them.
const clients = ["gmail.*", "outlook.*", "apple-mail.*", "samsung-email.*", "yahoo.*"];
// A mail needs what a web page must not have: inline styles, bgcolor, cellpadding, comments for Outlook.
const rules = { extends: ["html-validate:recommended"], rules: { "no-inline-style": "off", "no-deprecated-attr": "off", "no-conditional-comment": "off" } };

const result = { caniemail: { errors: {}, warnings: {} }, "html-validate": {} };
const linter = new HtmlValidate(rules);
for (const file of files) {
  const html = fs.readFileSync(file, "utf8");
  const { issues } = caniemail({ clients, html });
  for (const kind of ["errors", "warnings"])
    for (const [client, list] of issues[kind])
      for (const issue of list) (result.caniemail[kind][issue.title] ??= new Set()).add(client);
  const report = await linter.validateString(html);
  for (const message of report.results.flatMap((one) => one.messages))
    (result["html-validate"][message.ruleId] ??= new Set()).add(`${path.basename(file)}: ${message.message}`);
}
console.log(JSON.stringify(result, (_, value) => (value instanceof Set ? [...value].sort() : value), 1));
