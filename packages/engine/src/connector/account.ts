/** Who a credential belongs to. */
export interface Account {
  account: string;
  regions: string[];
}
