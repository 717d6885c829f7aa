/**
 * What two spellings of an address or a name have in common: NFKC, trimmed, lower case. Addresses with equal keys
 * belong to one account.
 */
export const searchKey = (text: string): string => text.normalize("NFKC").trim().toLowerCase();
