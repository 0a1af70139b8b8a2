import { Component } from 'react';
interface P { start: number; label?: string }
export default class Counter extends Component<P, { n: number; derived: number }> {
  static defaultProps = { label: 'default label' };
  static getDerivedStateFromProps(p: P) { return { derived: p.start * 2 }; }
  state = { n: this.props.start, derived: 0 };
  constructor(props: P) { super(props); }
  componentDidMount() { throw new Error('never on a server'); }
  private handle = () => this.setState({ n: 1 });
  render() {
    return <button onClick={this.handle}>{this.props.label}: {this.state.n} / {this.state.derived}</button>;
  }
}
