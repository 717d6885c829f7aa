import type { Tier } from "../../services/schemas";

/** Who is on the desk, by the name that sessions use for them. */
export interface Person {
  readonly name: string;
  readonly role: "customer" | "agent" | "supervisor";
  readonly skills?: readonly string[];
  readonly capacity?: number;
  readonly tier?: Tier;
}

const agent = (name: string, capacity: number, ...skills: string[]): Person => ({
  name,
  role: "agent",
  capacity,
  skills,
});
const customer = (name: string, tier: Tier = "none"): Person => ({ name, role: "customer", tier });

export const PEOPLE = {
  judith: { name: "Judith Sommer", role: "supervisor", skills: ["loan", "payment"], capacity: 2 },
  anna: agent("Anna Keller", 4, "loan", "german"),
  jonas: agent("Jonas Brandt", 5, "loan", "payment", "german"),
  priya: agent("Priya Raman", 6, "payment", "english"),
  marek: agent("Marek Nowak", 5, "payment", "polish", "german"),
  lea: agent("Léa Dubois", 3, "loan", "french"),
  omar: agent("Omar Haddad", 5, "payment", "english", "arabic"),
  ines: agent("Inês Costa", 4, "loan", "payment", "portuguese"),
  erik: agent("Erik Lindgren", 8, "english"),
  mia: customer("Mia Hoffmann", "gold"),
  tom: customer("Tom Becker"),
  aylin: customer("Aylin Demir", "silver"),
  lukas: customer("Lukas Weber"),
  sofia: customer("Sofia Rossi", "gold"),
  noah: customer("Noah Fischer"),
} as const satisfies Readonly<Record<string, Person>>;

export type Who = keyof typeof PEOPLE;
export const WHO = Object.keys(PEOPLE) as Who[];

/** Of a domain that is nobody's, for good (RFC 2606). */
export const emailOf = (who: Who): string => `${who}@desk.example.org`;
