export interface Product {
  readonly sku: string;
  readonly name: string;
  readonly priceCents: number;
}
