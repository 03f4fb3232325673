// A table that becomes a list of cards on a narrow screen; its roles are spelled out because the layout takes them away.

/** columns: `[{key, label, isText?}]`; rows: `[{key, cells: {[column]: text}}]`. */
export function Table({ caption, columns, rows }) {
  return (
    <table role="table">
      <caption>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column.key} role="columnheader" scope="col" className={column.isText ? 'text' : 'number'}>
              {column.label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={row.key} role="row">
            {columns.map((column, index) => {
              const className = column.isText ? 'text' : 'number';
              return index === 0 ? (
                <th key={column.key} role="rowheader" scope="row" className={className}>
                  {row.cells[column.key]}
                </th>
              ) : (
                <td key={column.key} role="cell" className={className} data-label={column.label}>
                  {row.cells[column.key]}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
