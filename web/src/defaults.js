export const DEFAULT_QUERY = `# Welcome. The schema is behind the book icon on the left; Ctrl-Space completes, Ctrl-Enter runs.
#
# To act as a user, run the graph's login mutation. Then either
#  - copy the access token of its answer into the Headers tab below: {"Authorization": "Bearer <token>"}, or
#  - if the login sets a cookie, do nothing: this page sends it along.

query WhatIsHere {
  __schema {
    queryType {
      fields {
        name
        description
      }
    }
  }
}
`;

export const DEFAULT_HEADERS = `{
  "Authorization": ""
}
`;
