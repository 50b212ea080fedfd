// Command reference is the least server that opamp-go's library makes: it accepts everybody, answers every message
// with the agent's uid, and stores nothing. SIGUSR1 sends the file -config to all agents, SIGUSR2 prints what it used.
package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/open-telemetry/opamp-go/protobufs"
	"github.com/open-telemetry/opamp-go/server"
	"github.com/open-telemetry/opamp-go/server/types"
)

// agents has the uid of the agent on each connection.
var agents sync.Map

func answer(_ context.Context, conn types.Connection, message *protobufs.AgentToServer) *protobufs.ServerToAgent {
	if _, known := agents.Load(conn); !known {
		agents.Store(conn, message.InstanceUid)
	}
	return &protobufs.ServerToAgent{InstanceUid: message.InstanceUid}
}

func push(path string) {
	body, err := os.ReadFile(path)
	if err != nil {
		log.Printf("nothing is sent: %v", err)
		return
	}
	hash := sha256.Sum256(body)
	files := map[string]*protobufs.AgentConfigFile{"": {Body: body, ContentType: "text/yaml"}}
	offer := &protobufs.AgentRemoteConfig{Config: &protobufs.AgentConfigMap{ConfigMap: files}, ConfigHash: hash[:]}
	agents.Range(func(conn, uid any) bool {
		message := &protobufs.ServerToAgent{InstanceUid: uid.([]byte), RemoteConfig: offer}
		if err := conn.(types.Connection).Send(context.Background(), message); err != nil {
			log.Printf("an offer was not sent: %v", err)
		}
		return true
	})
}

func report() {
	var used syscall.Rusage
	var total, resident, count int64
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		log.Fatal(err)
	}
	memory, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := fmt.Sscan(string(memory), &total, &resident); err != nil {
		log.Fatal(err)
	}
	agents.Range(func(any, any) bool { count++; return true })
	cpu := float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
	fmt.Printf(`{"cpu_s": %.6f, "resident_bytes": %d, "agents": %d}`+"\n", cpu, resident*int64(os.Getpagesize()), count)
}

func main() {
	listen := flag.String("listen", "127.0.0.1:4321", "address to listen on")
	config := flag.String("config", "", "file that SIGUSR1 sends to all agents")
	flag.Parse()
	callbacks := types.ConnectionCallbacks{
		OnMessage:         answer,
		OnConnectionClose: func(conn types.Connection) { agents.Delete(conn) },
	}
	settings := server.StartSettings{ListenEndpoint: *listen}
	settings.Callbacks.OnConnecting = func(*http.Request) types.ConnectionResponse {
		return types.ConnectionResponse{Accept: true, ConnectionCallbacks: callbacks}
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM, os.Interrupt)
	opamp := server.New(nil)
	if err := opamp.Start(settings); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"address\": %q}\n", opamp.Addr())
	for asked := range signals {
		switch asked {
		case syscall.SIGUSR1:
			push(*config)
		case syscall.SIGUSR2:
			report()
		default:
			report()
			return
		}
	}
}
