import fc from "fast-check";
import {
  firstName,
  MAX_PLACES,
  parseTemplate,
  render,
  TemplateError,
  type Values,
  type Variable,
  VARIABLES,
} from "../../../services/replies/template";

const NAMES = Object.keys(VARIABLES) as Variable[];
const fill = (text: string, values: Values = {}): string => render(parseTemplate(text), values);

describe("a reply's template", () => {
  it("puts values in place of variables, and what stands in where there is none", () => {
    const values = { "customer.name": "Ada Lovelace", "session.topic": "loan" };
    expect(fill("Hi {{customer.name}}, about your {{ session.topic }}:", values)).toBe(
      "Hi Ada Lovelace, about your loan:",
    );
    expect(fill("Hi {{customer.name|there}}, {{session.subject}}.")).toBe("Hi there, .");
  });

  it("names every variable it does not know", () => {
    expect(() => parseTemplate("{{customer.mail}} {{agent.name}} {{constructor}}")).toThrow(
      /\{\{customer\.mail\}\}, \{\{constructor\}\}; known are customer\.name/,
    );
  });

  it.each(["{{", "Hi {{customer.name", "{{customer.name\n}}", "{{{customer.name}}"])("refuses %j", (text) => {
    expect(() => parseTemplate(text)).toThrow(TemplateError);
  });

  it("keeps an escaped opening, and braces that open nothing", () => {
    expect(fill("\\{{customer.name}} {a} }} {")).toBe("{{customer.name}} {a} }} {");
  });

  it("refuses control characters and too many variables", () => {
    expect(() => parseTemplate("a\u0000b")).toThrow("control");
    expect(() => parseTemplate("{{agent.name}}".repeat(MAX_PLACES + 1))).toThrow("more than");
  });

  it("leaves text without openings as it is", () => {
    const plain = fc.string({ unit: "grapheme" }).filter((text) => !/\{\{|[^\P{Cc}\t\n]/u.test(text));
    fc.assert(fc.property(plain, (text) => expect(fill(text)).toBe(text)));
  });

  it("takes a value as it is, on one line and bounded, whatever it is", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.constantFrom("{{agent.name}}", "a\r\nb", "<script>alert(1)</script>", "\u2028", "$&", "\\{{"),
    );
    fc.assert(
      fc.property(fc.constantFrom(...NAMES), hostile, (name, value) => {
        const text = fill(`[{{${name}}}]`, {
          [name]: value,
          ...(name !== "agent.name" && { "agent.name": "EXPANDED" }),
        });
        expect(text).not.toContain("EXPANDED");
        expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        expect(text.length).toBeLessThanOrEqual(202);
        expect(text.isWellFormed()).toBe(true);
      }),
    );
  });

  it("reads anything, or refuses it by name", () => {
    const bits = fc.array(fc.oneof(fc.constantFrom("{{", "}}", "\\", "|", "\n", ...NAMES), fc.string()));
    fc.assert(
      fc.property(bits, (some) => {
        try {
          expect(typeof fill(some.join(""))).toBe("string");
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateError);
        }
      }),
    );
  });

  it("calls people by their first name", () => {
    expect([" Ada  Lovelace", "Ada", ""].map(firstName)).toEqual(["Ada", "Ada", ""]);
  });
});
