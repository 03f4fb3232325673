// What can be shown: revenue, orders or pieces.
import { formatCount, formatMoney, formatShort } from './formats.js';

/** By name: its label, the API's name for its order, and how it is read from and written for totals. */
export const MEASURES = {
  revenue: {
    label: 'Revenue',
    topProductsBy: 'REVENUE',
    valueOf: (total) => total.revenue.amount,
    format: (total) => formatMoney(total.revenue),
    growthOf: (total) => total.growth?.revenue ?? null,
    // Ticks are in minor units, as amounts are
    formatTick: (tick, decimals) => formatShort(tick / 10 ** decimals),
  },
  orders: {
    label: 'Orders',
    topProductsBy: 'ORDER_COUNT',
    valueOf: (total) => total.orderCount,
    format: (total) => formatCount(total.orderCount),
    growthOf: (total) => total.growth?.orderCount ?? null,
    formatTick: (tick) => formatShort(tick),
  },
  quantity: {
    label: 'Quantity',
    topProductsBy: 'QUANTITY',
    valueOf: (total) => total.quantity,
    format: (total) => formatCount(total.quantity),
    growthOf: (total) => total.growth?.quantity ?? null,
    formatTick: (tick) => formatShort(tick),
  },
};

/** Return how many decimals the amounts of *totals* have. */
export const decimalsOf = (totals) => totals[0]?.revenue.decimal.split('.')[1]?.length ?? 0;
