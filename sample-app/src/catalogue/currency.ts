/** What a price can be quoted in, besides the dollars of the catalogue. */
export const CURRENCIES = ['EUR', 'GBP', 'JPY'] as const;

export type Currency = (typeof CURRENCIES)[number];
