// Electricity generated in Iowa, by source: a form, a stacked chart, a table.

interface Year {
  year: number;
  fossil: number; // GWh
  nuclear: number;
  renewable: number;
}

interface Props {
  years: Year[]; // all there are
  from: number;
  to: number;
  share: boolean; // percentages instead of GWh
}

const SOURCES = ["fossil", "nuclear", "renewable"] as const;

const total = (y: Year) => SOURCES.reduce((sum, s) => sum + y[s], 0);
const title = (s: string) => s[0].toUpperCase() + s.slice(1);
const grouped = (x: number) => x.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ",");

function Controls({ years, from, to, share }: Props) {
  const options = years.map((y) => <option key={y.year}>{y.year}</option>);
  return (
    <form>
      <label>
        From{" "}
        <select name="from" defaultValue={from}>
          {options}
        </select>
      </label>
      <label>
        to{" "}
        <select name="to" defaultValue={to}>
          {options}
        </select>
      </label>
      <label>
        <input type="checkbox" name="share" value="1" defaultChecked={share} /> as shares
      </label>
      <button>Show</button>
    </form>
  );
}

function Chart({ years, share }: { years: Year[]; share: boolean }) {
  const [left, width, top, bottom] = [56, 720, 12, 260];
  const max = share ? 100 : Math.ceil(Math.max(...years.map(total)) / 10000) * 10000;
  const step = share ? 25 : 10000;
  const x = (i: number) => left + (i * (width - left - 16)) / Math.max(years.length - 1, 1);
  const y = (v: number) => bottom - (v * (bottom - top)) / max;

  // stacked returns the upper edge of the first n sources in a year.
  const stacked = (year: Year, n: number) => {
    const sum = SOURCES.slice(0, n).reduce((s, source) => s + year[source], 0);
    return share ? (100 * sum) / total(year) : sum;
  };
  const edge = (n: number) => years.map((year, i) => `${x(i).toFixed(1)} ${y(stacked(year, n)).toFixed(1)}`);

  const ticks: number[] = [];
  for (let v = 0; v <= max; v += step) ticks.push(v);
  return (
    <svg viewBox={`0 0 ${width} 312`} role="img" aria-label="Electricity by source, stacked, year by year">
      {ticks.map((v) => (
        <g key={v}>
          <line className={v === 0 ? "axis" : "grid"} x1={left} x2={width - 16} y1={y(v)} y2={y(v)} />
          <text className="tick" x={left - 8} y={y(v)} dy="4" textAnchor="end">
            {share ? `${v}%` : grouped(v)}
          </text>
        </g>
      ))}
      {SOURCES.map((source, n) => (
        <path key={source} className={source} d={`M${edge(n).join("L")}L${edge(n + 1).reverse().join("L")}Z`} />
      ))}
      {years.map((year, i) =>
        i % 2 === (years.length - 1) % 2 ? (
          <text key={year.year} className="tick" x={x(i)} y={bottom + 18} textAnchor="middle">
            {year.year}
          </text>
        ) : null,
      )}
      {SOURCES.map((source, n) => (
        <g key={source}>
          <rect className={source} x={left + n * 110} y={bottom + 34} width="12" height="12" rx="2" />
          <text className="tick" x={left + n * 110 + 18} y={bottom + 44}>
            {title(source)}
          </text>
        </g>
      ))}
    </svg>
  );
}

export default function Energy(props: Props) {
  const { share } = props;
  const years = props.years.filter((y) => y.year >= props.from && y.year <= props.to);
  const first = years[0];
  const last = years[years.length - 1];
  const percent = (y: Year) => ((100 * y.renewable) / total(y)).toFixed(0);
  return (
    <section>
      <h1>Electricity in Iowa</h1>
      <p className="lead">
        Renewable sources made {percent(first)}% of it in {first.year} and {percent(last)}% in {last.year}.
      </p>
      <Controls {...props} />
      <Chart years={years} share={share} />
      <table>
        <caption>{share ? "Shares of the net generation." : "Net generation in GWh."}</caption>
        <thead>
          <tr>
            <th scope="col">Year</th>
            {SOURCES.map((s) => (
              <th key={s} scope="col">
                {title(s)}
              </th>
            ))}
            <th scope="col">Total, GWh</th>
          </tr>
        </thead>
        <tbody>
          {years.map((y) => (
            <tr key={y.year}>
              <th scope="row">{y.year}</th>
              {SOURCES.map((s) => (
                <td key={s}>{share ? `${((100 * y[s]) / total(y)).toFixed(1)}%` : grouped(y[s])}</td>
              ))}
              <td>{grouped(total(y))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
