// A store that answers the page of sales from memory, and fails when it is told to.
//
// Figures are in US dollars, so that cents show; the present month is the browser's.

const money = (amount) => ({ amount, currency: 'USD', decimal: (amount / 100).toFixed(2) });
const sums = (orderCount, quantity, amount) => ({
  orderCount,
  quantity,
  revenue: money(amount),
  averageOrderValue: money(orderCount ? Math.round(amount / orderCount) : 0),
});
const AS_OF = '2026-11-24T03:04:05.000Z';
const answered = (data) => ({ body: { data } });
const refusedWith = (code, message, status = 200, headers = {}) => ({
  status,
  headers,
  body: { errors: [{ message, extensions: { code } }] },
});

export class FakeStore {
  constructor() {
    this.user = null;
    this.needsCode = false;
    this.canRefresh = true;
    this.isAllowed = true;
    // By operation: what is answered instead, until it is taken away. "*" is every one
    this.faults = {};
    // How often each operation was asked for, and the last variables
    this.asked = {};
    this.variables = {};
    this.sockets = [];
    this.live = { today: sums(3, 7, 123_456), month: sums(41, 90, 1_234_567) };
  }

  async install(page) {
    await page.route('**/graphql', (route) => this.#answer(route));
    await page.routeWebSocket('**/graphql', (socket) => this.#connect(socket));
  }

  // Tells everybody who is subscribed what has changed.
  push(live) {
    this.live = live;
    for (const socket of this.sockets) this.#tell(socket);
  }

  // Closes the live connections as a network that fails does.
  cut() {
    for (const { route } of this.sockets.splice(0)) route.close({ code: 1011, reason: 'going down' });
  }

  // Ends the subscriptions as the router does when their token is over.
  expireSubscriptions() {
    const errors = [{ message: 'the access token has expired', extensions: { code: 'UNAUTHENTICATED' } }];
    for (const { route, id } of this.sockets) route.send(JSON.stringify({ type: 'error', id, payload: errors }));
  }

  async #answer(route) {
    const { query, variables } = route.request().postDataJSON();
    const [, name] = /^\s*\w+ (\w+)/.exec(query);
    this.asked[name] = (this.asked[name] ?? 0) + 1;
    this.variables[name] = variables;
    const fault = this.faults[name] ?? this.faults['*'];
    if (fault === 'away') return route.abort('internetdisconnected');
    const { status = 200, headers = {}, body } = fault ?? this[name](variables);
    return route.fulfill({ status, headers, contentType: 'application/json', body: JSON.stringify(body) });
  }

  #connect(route) {
    route.onMessage((text) => {
      const message = JSON.parse(text);
      if (message.type === 'connection_init') route.send(JSON.stringify({ type: 'connection_ack' }));
      if (message.type === 'ping') route.send(JSON.stringify({ type: 'pong' }));
      if (message.type === 'subscribe') {
        this.asked.Live = (this.asked.Live ?? 0) + 1;
        const socket = { route, id: message.id };
        this.sockets.push(socket);
        this.#tell(socket);
      }
    });
    route.onClose((code, reason) => {
      this.sockets = this.sockets.filter((socket) => socket.route !== route);
      route.close({ code, reason });
    });
  }

  #tell({ route, id }) {
    const [year, month, day] = new Date().toISOString().split('T')[0].split('-');
    const orderTotalsChanged = {
      asOf: AS_OF,
      today: { date: `${year}-${month}-${day}`, ...this.live.today },
      month: { year: Number(year), month: Number(month), ...this.live.month },
    };
    route.send(JSON.stringify({ type: 'next', id, payload: { data: { orderTotalsChanged } } }));
  }

  #whenLoggedIn(answer) {
    if (!this.user) return refusedWith('UNAUTHENTICATED', 'the access token has expired', 200);
    return this.isAllowed ? answer() : refusedWith('FORBIDDEN', 'reports:read is needed');
  }

  Me() {
    return answered({ me: this.user });
  }

  LogIn({ email, password }) {
    if (password !== 'right') {
      const message = 'the e-mail address or the password is wrong';
      return answered({ login: { __typename: 'InvalidCredentialsProblem', code: 'INVALID_CREDENTIALS', message } });
    }
    if (this.needsCode) return answered({ login: { __typename: 'SecondFactorRequired', challenge: `of ${email}` } });
    this.user = { id: 'usr_1', name: 'Sinta Maharani' };
    return answered({ login: { __typename: 'AuthSession', user: this.user } });
  }

  CompleteLogin({ challenge, code }) {
    if (challenge !== 'of sinta@pasar.example' || code !== '123456') {
      const message = 'the code is wrong';
      return answered({ completeLogin: { __typename: 'InvalidCodeProblem', code: 'INVALID_CODE', message } });
    }
    this.user = { id: 'usr_1', name: 'Sinta Maharani' };
    return answered({ completeLogin: { __typename: 'AuthSession', user: this.user } });
  }

  Refresh() {
    if (!this.canRefresh) {
      const message = 'the refresh token is not valid; log in again';
      return answered({ refresh: { __typename: 'InvalidRefreshTokenProblem', message } });
    }
    this.user = { id: 'usr_1', name: 'Sinta Maharani' };
    return answered({ refresh: { __typename: 'AuthSession' } });
  }

  LogOut() {
    this.user = null;
    return answered({ logout: true });
  }

  Months({ from, to }) {
    return this.#whenLoggedIn(() => {
      const months = [];
      for (let [year, month] = from.split('-').map(Number); ; month += 1) {
        if (month === 13) [year, month] = [year + 1, 1];
        const key = `${year}-${String(month).padStart(2, '0')}`;
        const index = months.length;
        const growth = { orderCount: 0.25, quantity: index % 2 ? -0.125 : 0, revenue: index ? 12.3456 : null };
        const present = key === to ? this.live.month : sums(index, 3 * index, 100_050 * index + 7);
        months.push({ year, month, ...present, growth });
        if (key === to) break;
      }
      return answered({ report: { asOf: AS_OF, servedFrom: 'CACHE', months } });
    });
  }

  Days({ from, to }) {
    return this.#whenLoggedIn(() => {
      const days = Array.from({ length: Number(to.slice(8)) }, (_, index) => ({
        date: `${from.slice(0, 8)}${String(index + 1).padStart(2, '0')}`,
        ...sums(index + 1, 2 * index, 1_001 * index),
      }));
      return answered({ report: { asOf: AS_OF, servedFrom: 'ROLLUP', days } });
    });
  }

  TopProducts({ month, by }) {
    return this.#whenLoggedIn(() => {
      const products = ['Kopi Arabika Gayo 500 g', 'Teh Melati', ''].map((name, index) => ({
        productId: `prd_${index}`,
        // The last one's name is not to be had
        product: index === 2 ? null : { name: `${name} (${by})`, sku: `SKU-${month}-${index}` },
        ...sums(9 - index, 20 - index, 999_999 - index),
      }));
      const { body } = answered({ report: { asOf: AS_OF, servedFrom: 'AGGREGATION', products } });
      const extensions = { code: 'SUBREQUEST_HTTP_ERROR' };
      const path = ['report', 'products', 2, 'product'];
      return { body: { ...body, errors: [{ message: 'subgraph product cannot be reached', path, extensions }] } };
    });
  }
}

export { refusedWith, sums };
