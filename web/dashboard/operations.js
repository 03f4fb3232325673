// What the page asks the store for.

const TOTAL = 'orderCount quantity revenue { amount currency decimal } averageOrderValue { amount currency decimal }';

export const MONTHS = `query Months($from: YearMonth!, $to: YearMonth!, $timezone: String!, $currency: CurrencyCode!) {
  report: monthlyOrderTotals(from: $from, to: $to, timezone: $timezone, currency: $currency) {
    asOf
    servedFrom
    months { year month ${TOTAL} growth { orderCount quantity revenue } }
  }
}`;

export const DAYS = `query Days($from: Date!, $to: Date!, $timezone: String!, $currency: CurrencyCode!) {
  report: dailyOrderTotals(from: $from, to: $to, timezone: $timezone, currency: $currency) {
    asOf
    servedFrom
    days { date ${TOTAL} }
  }
}`;

export const TOP_PRODUCTS = `query TopProducts(
  $month: YearMonth!, $by: TopProductsOrder!, $timezone: String!, $currency: CurrencyCode!
) {
  report: topProducts(month: $month, by: $by, first: 10, timezone: $timezone, currency: $currency) {
    asOf
    servedFrom
    products { productId product { name sku } orderCount quantity revenue { amount currency decimal } }
  }
}`;

export const LIVE = `subscription Live($timezone: String!, $currency: CurrencyCode!) {
  orderTotalsChanged(timezone: $timezone, currency: $currency) {
    asOf
    today { date ${TOTAL} }
    month { year month ${TOTAL} }
  }
}`;
export const LIVE_FIELD = 'orderTotalsChanged';
