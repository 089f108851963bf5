import type { Operation } from './operation.ts';
import { errorAnswers, OPERATIONS } from './openapi-paths.ts';
import type { JsonSchema } from './openapi-schema.ts';
import { fieldsOf } from './openapi-schema.ts';

export const DOCS_STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
code{font-family:ui-monospace,monospace}summary{cursor:pointer;padding:.4rem 0}details{border-top:1px solid #ddd}
b.post{color:#0a6}b.get{color:#06c}b.delete{color:#b30}table{border-collapse:collapse;margin:.5rem 0}
td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}details{border-color:#444}}`;

/** The routes as a page that needs no script and loads nothing. */
export function docsPage(version: string): string {
  const operations = Object.entries(OPERATIONS).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => section(method, path, operation)),
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>hiresfix API</title><style>${DOCS_STYLE}</style></head><body>
<h1>hiresfix ${escaped(version)}</h1>
<p>For programs: <a href="/openapi.json">openapi.json</a>. Where the service has keys, send one as <code>X-API-KEY</code> or
<code>Authorization: Bearer</code>. Errors are <code>application/problem+json</code>.</p>
${operations.join('\n')}
</body></html>
`;
}

function section(method: string, path: string, operation: Operation): string {
  const { summary, headers = [], body, query, answers } = operation;
  const bodies = Object.entries(body ?? {}).map(([type, schema]) => bodyFields(`Body: ${type}`, schema));
  const inQuery = query && !body ? fields('Query', { properties: fieldsOf(query) }) : '';
  const told = Object.entries(answers).map(([status, [text, types]]) =>
    row(status, Object.keys(types).join(', '), text),
  );
  const problems = Object.entries(errorAnswers(operation)).map(([status, { description, content }]) =>
    row(status, Object.keys(content as JsonSchema).join(', '), String(description)),
  );
  const sent = headers.length > 0 ? `<p>Headers: ${headers.map((name) => `<code>${name}</code>`).join(', ')}</p>` : '';
  return `<details id="${method}${path.replace(/\W+/g, '-')}"><summary><b class="${method}">${method.toUpperCase()}</b> <code>${escaped(path)}</code> ${escaped(summary)}</summary>
${sent}${inQuery}${bodies.join('')}<table><tr><th>Answer</th></tr>${told.join('')}${problems.join('')}</table></details>`;
}

/** The fields of a body, or of each of the bodies that it may be. */
function bodyFields(title: string, schema: JsonSchema): string {
  const bodies = (schema['anyOf'] ?? [schema]) as readonly (JsonSchema & { readonly title?: string })[];
  return bodies.map((one) => fields(one.title === undefined ? title : `${title}: ${one.title}`, one)).join('');
}

function fields(title: string, { properties }: JsonSchema): string {
  const rows = Object.entries((properties ?? {}) as Readonly<Record<string, FieldSchema>>).map(([name, schema]) =>
    row(name, kindOf(schema), schema.description ?? ''),
  );
  return `<table><tr><th colspan="3">${escaped(title)}</th></tr>${rows.join('')}</table>`;
}

function row(name: string, kind: string, text: string): string {
  return `<tr><td><code>${escaped(name)}</code></td><td>${escaped(kind)}</td><td>${escaped(text)}</td></tr>`;
}

/** What of a field's schema is shown. */
interface FieldSchema {
  readonly description?: string;
  readonly anyOf?: readonly FieldSchema[];
  readonly enum?: readonly string[];
  readonly const?: string | number | boolean;
  readonly type?: string | readonly string[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
}

/** `1 to 100`, `auto or a whole number from 0`, `keep, strip (keep)`. */
function kindOf(schema: FieldSchema): string {
  const { anyOf, enum: values, const: constant, type = 'any', minimum, exclusiveMinimum, maximum } = schema;
  const standard = schema.default === undefined ? '' : ` (${JSON.stringify(schema.default)})`;
  if (anyOf) return anyOf.map(kindOf).join(' or ') + standard;
  if (values) return values.join(', ') + standard;
  if (constant !== undefined) return String(constant);
  const above = exclusiveMinimum === undefined ? '' : ` above ${exclusiveMinimum}`;
  const from = minimum === undefined ? '' : ` from ${minimum}`;
  const to = maximum === undefined ? '' : ` to ${maximum}`;
  return [type].flat().join(' or ') + above + from + to + standard;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
