package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	"github.com/sporeengine/spore/gpu"
)

// grpcName makes this program the server of the comparison.
const grpcName = "grpc-server"

// raw is a codec for messages that are bytes, so that nothing of protocol buffers is measured.
type raw struct{}

func (raw) Name() string { return "raw" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

func init() { encoding.RegisterCodecV2(raw{}) }

// An evaluator answers requests: bytes that are inputs of one of the programs, by their length.
type evaluator interface {
	evaluate(ctx context.Context, in []byte) ([]byte, error)
}

// inProcess evaluates with the backend that workers have.
type inProcess struct{ backend gpu.Backend }

func (e inProcess) evaluate(ctx context.Context, in []byte) ([]byte, error) {
	p := programs[len(in)]
	if p == nil {
		return nil, fmt.Errorf("%d bytes", len(in))
	}
	out := make([]byte, p.Outputs()[0].Bytes())
	return out, e.backend.Eval(ctx, p, [][]byte{in}, nil, [][]byte{out})
}

var service = grpc.ServiceDesc{
	ServiceName: "bench", HandlerType: (*evaluator)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Eval", Handler: func(srv any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var in []byte
		if err := decode(&in); err != nil {
			return nil, err
		}
		out, err := srv.(evaluator).evaluate(ctx, in)
		return &out, err
	}}},
}

// serveGRPC is a process that serves until its standard input ends.
func serveGRPC() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	backend, err := open()
	if err != nil {
		panic(err)
	}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32))
	s.RegisterService(&service, inProcess{backend})
	fmt.Println(l.Addr())
	go func() {
		os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}()
	_ = s.Serve(l)
}

// A client is a connection to such a process.
type client struct {
	conn *grpc.ClientConn
	end  func()
}

func startGRPC() (*client, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, grpcName)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var addr string
	if _, err := fmt.Fscan(out, &addr); err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient("passthrough:///"+strings.TrimSpace(addr), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{}), grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)))
	if err != nil {
		return nil, err
	}
	return &client{conn, func() { conn.Close(); in.Close(); cmd.Wait() }}, nil
}

// evaluate implements evaluator.
func (c *client) evaluate(ctx context.Context, in []byte) ([]byte, error) {
	var out []byte
	err := c.conn.Invoke(ctx, "/bench/Eval", &in, &out)
	return out, err
}
