// The log of a running node, as torchwood's client fetches it over HTTP.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	held  = 300 // decisions: more than one tile
	teams = `[{"id":"north.test","name":"N","kind":"national","economies":["XN"],"source":"test","verified":true,"constituency":{"prefixes":["192.0.2.0/24"]}},
{"id":"east.test","name":"E","kind":"national","economies":["XE"],"source":"test","verified":true,"constituency":{"prefixes":["198.51.100.0/24"]}}]`
	agreements = `[{"id":"urn:uuid:00000000-0000-4000-8000-000000000001","title":"t","kind":"bilateral","parties":["north.test","east.test"],
"valid_from":"2020-01-01","clauses":[{"id":"1","from":"north.test","to":"east.test","classification":["*"],"tlp_max":"amber","effect":"hold"}]}]`
)

var running *exec.Cmd // to be ended whatever comes

// Where the node's door for partners is, once the node is ready.
func serve(home string, words ...string) (*exec.Cmd, string) {
	node := exec.Command(comity, append(append([]string{"serve", "--home", home, "--tls", "off", "--log.format", "json",
		"--listen.operators", "127.0.0.1:0", "--listen.partners", "127.0.0.1:0"}, words...), options...)...)
	lines := bufio.NewScanner(must(node.StderrPipe()))
	if err := node.Start(); err != nil {
		fail("%v", err)
	}
	running = node
	address := ""
	for lines.Scan() {
		var line struct{ Event, Door, Address string }
		json.Unmarshal(lines.Bytes(), &line)
		if line.Event == "listening" && line.Door == "partners" {
			address = line.Address
		}
		if line.Event == "node ready" {
			go func() {
				for lines.Scan() { // so that it never waits for us
				}
			}()
			return node, "http://" + address + "/log"
		}
	}
	fail("the node did not start")
	return nil, ""
}

func get(url string) []byte {
	answer := must(http.Get(url))
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		fail("%s: %s", url, answer.Status)
	}
	return must(io.ReadAll(answer.Body))
}

func decide(home string) {
	var reports strings.Builder
	words := []string{comity, "held", "refuse", "--reason", "a test", "--home", home}
	for i := range held {
		fmt.Fprintf(&reports, `{"source.ip":"198.51.100.%d","classification.type":"spam","tlp":"green","feed.provider":"F","source.account":"a%d"}`+"\n", i%250, i)
		words = append(words, fmt.Sprint(i+1))
	}
	run(reports.String(), 0, comity, "ingest", "--home", home, "-")
	run("", 0, words...)
}

func runningNode(folder string) {
	ctx := context.Background()
	home := filepath.Join(folder, "home")
	os.WriteFile(filepath.Join(folder, "teams.json"), []byte(teams), 0o644)
	os.WriteFile(filepath.Join(folder, "agreed.json"), []byte(agreements), 0o644)
	node, url := serve(home, "--teams", filepath.Join(folder, "teams.json"), "--agreements", filepath.Join(folder, "agreed.json"),
		"--team", "north.test")
	defer func() {
		node.Process.Signal(os.Interrupt)
		node.Wait()
		running = nil
	}()
	decide(home)
	key := must(note.NewVerifier(strings.TrimSpace(run("", 0, comity, "ledger", "key", "--home", home))))
	signed := must(note.Open(get(url+"/checkpoint"), note.VerifierList(key)))
	tree := must(torchwood.ParseCheckpoint(signed.Text)).Tree
	check(tree.N == held, "x/mod note believes the running node's checkpoint, over all decisions")
	tiles := must(torchwood.NewTileFetcher(url))
	client := must(torchwood.NewClient(tiles))
	count := int64(0)
	for _, e := range client.AllEntries(ctx, tree, 0) {
		var read struct{ Kind, Decision, To string }
		if json.Unmarshal(e, &read) != nil || read.Kind != "decision" || read.Decision != "refused" || read.To != "east.test" {
			fail("an entry is another one: %s", e)
		}
		count++
	}
	check(client.Err() == nil && count == tree.N, "torchwood's client fetches and verifies every entry of the running node")
	reader := torchwood.TileHashReaderWithContext(ctx, tree, tiles)
	_, err := tlog.ProveTree(tree.N, 17, reader)
	check(err == nil, "x/mod proves that the node's log continues its first entries")
}
