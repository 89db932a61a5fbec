/** What reads like a listing, but throws where something is read that its schema does not name. */
export function strict(listing, schema) {
  const wrap = (value, { $ref, properties, items }) => {
    if ($ref) return wrap(value, schema.$defs[$ref.split("/").at(-1)]);
    if (items) return value.map((item) => wrap(item, items));
    if (!properties) return value;
    const inner = Object.entries(value).map(([name, part]) => [name, wrap(part, properties[name])]);
    return new Proxy(Object.fromEntries(inner), {
      get(target, name) {
        // `then` is what await looks for in everything
        if (typeof name === "string" && name !== "then" && !(name in properties))
          throw new Error(`no ${name} in the schema`);
        return target[name];
      },
    });
  };
  return wrap(listing, schema);
}
