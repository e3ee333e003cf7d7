/* Shows /openapi.json: operations by tag, with parameters, bodies, examples and
 * the scopes that may do them. Text goes in as text, never as HTML. */
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];
let doc;

function make(tag, attributes, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes || {}))
		node.setAttribute(name, value);
	node.append(...children.filter((c) => c !== null && c !== undefined));
	return node;
}

function resolve(node) {
	while (node && node.$ref)
		node = node.$ref.slice(2).split("/").reduce((n, p) => n[p], doc);
	return node || {};
}

/* A schema in a few words */
function typeOf(schema) {
	const name = schema && schema.$ref && schema.$ref.split("/").pop();
	const s = resolve(schema);
	const any = s.oneOf || s.anyOf;
	if (any)
		return any.map(typeOf).join(" or ");
	if (s.enum)
		return s.enum.map((v) => JSON.stringify(v)).join(" | ");
	if (s.type === "array")
		return "list of " + typeOf(s.items);
	const type = Array.isArray(s.type) ? s.type.join(" or ") : s.type;
	const parts = [name && s.properties ? name : type || "any"];
	if (s.pattern)
		parts.push(s.pattern);
	if (s.minimum !== undefined || s.maximum !== undefined)
		parts.push(`${s.minimum ?? ""}..${s.maximum ?? ""}`);
	if (s.maxLength !== undefined)
		parts.push(`at most ${s.maxLength}`);
	return parts.join(" ");
}

function row(name, required, schema, description) {
	return make("tr", {}, make("td", {}, make("code", {}, name),
		required ? make("small", {}, " required") : ""),
		make("td", {}, typeOf(schema)),
		make("td", {}, description || resolve(schema).description || ""));
}

/* Members of an object, one level of nesting deep */
function members(schema) {
	const s = resolve(schema.type === "array" ? schema.items : schema);
	const table = make("table", {});
	const add = (object, prefix) => {
		const need = new Set(object.required || []);
		for (const [name, p] of Object.entries(object.properties || {})) {
			const inner = resolve(p);
			table.append(row(prefix + name, need.has(name), p,
				p.description));
			if (inner.properties && !p.$ref && !prefix)
				add(inner, name + ".");
		}
	};
	add(s, "");
	return table.rows.length ? table : make("p", {}, typeOf(schema));
}

function example(value) {
	return make("pre", {}, typeof value === "string" ? value
		: JSON.stringify(value, null, 2));
}

function body(content, title) {
	const [media, spec] = Object.entries(content)[0];
	const parts = [make("h4", {}, title + " ", make("small", {},
		Object.keys(content).join(", ")))];
	if (spec.schema)
		parts.push(members(resolve(spec.schema)));
	if (spec.example !== undefined)
		parts.push(example(spec.example));
	return parts;
}

function operation(method, path, item, op) {
	const params = [...(item.parameters || []), ...(op.parameters || [])]
		.map(resolve);
	const node = make("section", {id: op.operationId},
		make("h3", {}, make("span", {class: "method " + method}, method),
			path),
		make("p", {}, op.summary || "", op.description
			? make("small", {}, " " + op.description) : ""));
	const scopes = op["x-may"] || [];
	node.append(make("p", {}, ...(scopes.length
		? scopes.map((s) => make("span", {class: "scope"}, s))
		: [make("span", {class: "scope"}, "no key needed")])));
	if (params.length)
		node.append(make("h4", {}, "Parameters"), make("table", {},
			...params.map((p) => row(`${p.name} (${p.in})`,
				p.required, p.schema, p.description))));
	if (op.requestBody)
		node.append(...body(resolve(op.requestBody).content, "Body"));
	const codes = Object.entries(op.responses);
	for (const [code, ref] of codes.filter(([c]) => c < "300")) {
		const answer = resolve(ref);
		node.append(make("h4", {}, `${code} ${answer.description}`));
		if (answer.content)
			node.append(...body(answer.content, "Answer"));
	}
	node.append(make("p", {}, make("small", {}, "Else: " + codes
		.filter(([c]) => c >= "300")
		.map(([c, r]) => `${c} ${resolve(r).description}`).join(" "))));
	return node;
}

function show() {
	const nav = document.getElementById("nav");
	const main = document.getElementById("main");
	const tags = new Map();
	main.replaceChildren(make("h1", {}, doc.info.title + " REST API"),
		make("p", {}, doc.info.description));
	for (const [path, item] of Object.entries(doc.paths))
		for (const method of METHODS.filter((m) => item[m])) {
			const op = item[method], tag = op.tags[0];
			if (!tags.has(tag))
				tags.set(tag, []);
			tags.get(tag).push([method, path, item, op]);
		}
	for (const [tag, list] of tags) {
		nav.append(make("h2", {}, tag));
		main.append(make("h2", {}, tag));
		for (const entry of list) {
			const op = entry[3];
			nav.append(make("a", {href: "#" + op.operationId,
				title: `${entry[0]} ${entry[1]}`}, op.summary));
			main.append(operation(...entry));
		}
	}
	document.getElementById("find").addEventListener("input", (event) => {
		const text = event.target.value.toLowerCase();
		for (const node of document.querySelectorAll("section"))
			node.hidden = !node.textContent.toLowerCase()
				.includes(text);
		for (const link of document.querySelectorAll("nav a"))
			link.hidden = document.getElementById(
				link.hash.slice(1)).hidden;
	});
	if (location.hash)
		document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

fetch("/openapi.json").then((answer) => answer.json()).then((json) => {
	doc = json;
	show();
}).catch((error) => {
	document.getElementById("main").textContent =
		"/openapi.json could not be read: " + error;
});
