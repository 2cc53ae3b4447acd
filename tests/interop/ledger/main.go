// Do others' libraries read what Comity's ledger writes, and does Comity read what they write?
//
// usage: ledger HELPER COMITY [COMITY OPTIONS...]
// HELPER is tests/oracle/ledgers.c. The others: Go's own x/mod (sumdb/note, sumdb/tlog),
// filippo.io/torchwood (tiles, cosignatures, tlog-proof) and transparency-dev/merkle (proofs).
package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"filippo.io/torchwood"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	origin  = "north.test/log"
	size    = 70000 // full tiles of level 1, partial ones of levels 0 to 2
	oldSize = 300
)

var (
	helper, comity string
	options        []string
)

func must[T any](value T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return value
}

func fail(format string, args ...any) {
	fmt.Printf("not ok: "+format+"\n", args...)
	if running != nil {
		running.Process.Kill()
	}
	os.Exit(1)
}

func check(ok bool, what string) {
	if !ok {
		fail("%s", what)
	}
	fmt.Println("ok:", what)
}

func run(input string, status int, words ...string) string {
	command := exec.Command(words[0], words[1:]...)
	command.Stdin = strings.NewReader(input)
	var out, errors bytes.Buffer
	command.Stdout, command.Stderr = &out, &errors
	command.Run()
	if got := command.ProcessState.ExitCode(); got != status {
		fail("%v: exit status %d, not %d: %s%s", words, got, status, out.String(), errors.String())
	}
	return out.String()
}

func ours(status int, words ...string) string {
	return run("", status, append(append([]string{comity}, words...), options...)...)
}

func entry(i int) []byte {
	return must(json.Marshal(map[string]any{"agreement": "urn:uuid:1", "by": "north.test", "document": fmt.Sprintf("%064x", i),
		"event": "signed", "kind": "agreement", "since": "2026-01-01T00:00:00Z", "time": "2026-01-01T00:00:00Z", "v": 1}))
}

// ---- what Comity made

type log struct {
	folder, key, witness string
	checkpoint, older    []byte
	tree, olderTree      tlog.Tree
}

func makeLog(folder string) *log {
	var lines strings.Builder
	for i := range size {
		fmt.Fprintf(&lines, "e %x\n", entry(i))
		if i+1 == oldSize {
			lines.WriteString("c\n")
		}
	}
	lines.WriteString("c\nw w.test " + strings.Repeat("07", 32) + " 1780272000\n")
	keys := strings.Fields(run(lines.String(), 0, helper, "make", folder, origin, strings.Repeat("05", 32)))
	l := &log{folder: folder, key: keys[0], witness: keys[1]}
	l.checkpoint = must(os.ReadFile(filepath.Join(folder, "checkpoint")))
	l.older = must(os.ReadFile(filepath.Join(folder, fmt.Sprintf("checkpoint.%d", oldSize))))
	return l
}

func (l *log) verifiers() (note.Verifier, *torchwood.CosignatureVerifier) {
	return must(note.NewVerifier(l.key)), must(torchwood.NewCosignatureVerifier(l.witness))
}

func readNotes(l *log) {
	logKey, witness := l.verifiers()
	n := must(note.Open(l.checkpoint, note.VerifierList(logKey, witness)))
	check(len(n.Sigs) == 2 && len(n.UnverifiedSigs) == 0, "x/mod note and torchwood verify the log's signature and the cosignature")
	check(must(torchwood.CosignatureTimestamp(n.Sigs[1])) == 1780272000, "torchwood reads the cosignature's time")
	check(witness.String() == l.witness, "torchwood writes the witness' key the same")
	l.tree = must(torchwood.ParseCheckpoint(n.Text)).Tree
	l.olderTree = must(torchwood.ParseCheckpoint(must(note.Open(l.older, note.VerifierList(logKey))).Text)).Tree
	check(l.tree.N == size && l.olderTree.N == oldSize, "torchwood reads both checkpoints")
	bad := bytes.Replace(l.checkpoint, []byte("\n70000\n"), []byte("\n70001\n"), 1)
	_, err := note.Open(bad, note.VerifierList(logKey))
	check(err != nil, "x/mod note refuses the checkpoint with another size")
}

func readTiles(l *log) {
	ctx := context.Background()
	tiles := must(torchwood.NewTileFS(os.DirFS(l.folder)))
	client := must(torchwood.NewClient(tiles))
	count := int64(0)
	for i, e := range client.AllEntries(ctx, l.tree, 0) {
		if i != count || !bytes.Equal(e, entry(int(i))) {
			fail("entry %d is another one", i)
		}
		count++
	}
	check(client.Err() == nil && count == size, "torchwood's client reads and verifies every entry of the folder")
	reader := torchwood.TileHashReaderWithContext(ctx, l.tree, tiles)
	record := must(tlog.ProveRecord(size, 54321, reader))
	check(tlog.CheckRecord(record, size, l.tree.Hash, 54321, tlog.RecordHash(entry(54321))) == nil,
		"x/mod tlog proves and checks an entry from our tiles")
	consistency := must(tlog.ProveTree(size, oldSize, reader))
	check(tlog.CheckTree(consistency, size, l.tree.Hash, oldSize, l.olderTree.Hash) == nil,
		"x/mod tlog proves that the log continues its older checkpoint")
	answers := strings.Split(run(fmt.Sprintf("include 54321 %d\nconsist %d %d\n", size, oldSize, size), 0, helper, "ask",
		l.folder, fmt.Sprint(size)), "\n")
	check(answers[0] == hashes(record) && answers[1] == hashes(consistency), "our proofs are those of x/mod tlog, hash by hash")
}

func hashes[H ~[]tlog.Hash](list H) string {
	var words []string
	for _, h := range list {
		words = append(words, hex.EncodeToString(h[:]))
	}
	return strings.Join(words, " ")
}

func readProofs(l *log) {
	logKey, witness := l.verifiers()
	text := []byte(ours(0, "ledger", "prove", "--entry", "54321", l.folder))
	policy := torchwood.ThresholdPolicy(3, torchwood.OriginPolicy(origin), torchwood.SingleVerifierPolicy(logKey),
		torchwood.SingleVerifierPolicy(witness))
	check(torchwood.VerifyProof(policy, tlog.RecordHash(entry(54321)), text) == nil, "torchwood verifies the file of comity ledger prove")
	check(torchwood.VerifyProof(policy, tlog.RecordHash(entry(1)), text) != nil, "torchwood refuses it for another entry")
	tiles := must(torchwood.NewTileFS(os.DirFS(l.folder)))
	record := must(tlog.ProveRecord(size, 54321, torchwood.TileHashReaderWithContext(context.Background(), l.tree, tiles)))
	theirs := torchwood.FormatProofWithExtraData(54321, must(torchwood.ProofExtraData(text)), record, l.checkpoint)
	check(bytes.Equal(theirs, text), "torchwood writes that file to the same byte")
	path := filepath.Join(l.folder, "their.tlog-proof")
	os.WriteFile(path, theirs, 0o644)
	ours(0, "verify", "--key", l.key, "--witness", l.witness, path)
	fmt.Println("ok: comity verify takes torchwood's file")
}

// ---- what others made

func theirProofs(l *log) {
	tree := testonly.New(rfc6962.DefaultHasher)
	for i := range 1000 {
		tree.AppendData(entry(i))
	}
	var lines strings.Builder
	count := 0
	for n := uint64(1); n <= 1000; n += 37 {
		for m := uint64(0); m < n; m += 41 {
			fmt.Fprintf(&lines, "include %x %d %d %x", tree.LeafHash(m), m, n, tree.HashAt(n))
			for _, h := range must(tree.InclusionProof(m, n)) {
				fmt.Fprintf(&lines, " %x", h)
			}
			fmt.Fprintf(&lines, "\nconsist %d %x %d %x", m, tree.HashAt(m), n, tree.HashAt(n))
			for _, h := range must(tree.ConsistencyProof(m, n)) {
				fmt.Fprintf(&lines, " %x", h)
			}
			lines.WriteString("\n")
			count += 2
		}
	}
	check(run(lines.String(), 0, helper, "check") == strings.Repeat("yes\n", count),
		fmt.Sprintf("we verify %d proofs of transparency-dev/merkle", count))
	var questions strings.Builder
	for m := range oldSize {
		fmt.Fprintf(&questions, "include %d %d\nconsist %d %d\n", m, oldSize, m+1, oldSize)
	}
	answers := strings.Split(run(questions.String(), 0, helper, "ask", l.folder, fmt.Sprint(size)), "\n")
	for m := uint64(0); m < oldSize; m++ {
		err := proof.VerifyInclusion(rfc6962.DefaultHasher, m, oldSize, tree.LeafHash(m), split(answers[2*m]), tree.HashAt(oldSize))
		if err == nil {
			err = proof.VerifyConsistency(rfc6962.DefaultHasher, m+1, oldSize, split(answers[2*m+1]), tree.HashAt(m+1), tree.HashAt(oldSize))
		}
		if err != nil {
			fail("transparency-dev/merkle refuses a proof of ours: %v", err)
		}
	}
	fmt.Printf("ok: transparency-dev/merkle verifies %d proofs of ours\n", 2*oldSize)
}

func split(words string) [][]byte {
	var out [][]byte
	for _, word := range strings.Fields(words) {
		out = append(out, must(hex.DecodeString(word)))
	}
	return out
}

func theirNotes(l *log) {
	secret, public, err := note.GenerateKey(rand.Reader, "south.test/x")
	if err != nil {
		fail("%v", err)
	}
	signed := must(note.Sign(&note.Note{Text: "a\n\nb\n"}, must(note.NewSigner(secret))))
	check(run(string(signed), 0, helper, "note", public) == "good 0\n", "we verify a note and a key of x/mod note")
	spoiled := strings.Replace(string(signed), "a\n", "c\n", 1)
	check(run(spoiled, 0, helper, "note", public) == "wrong 0\n", "we refuse it with another text")
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	witness := must(torchwood.NewCosignatureSigner("v.test/w", key))
	n := must(note.Open(l.checkpoint, note.VerifierList(must(note.NewVerifier(l.key)))))
	cosigned := must(note.Sign(n, witness))
	answer := strings.Fields(run(string(cosigned), 0, helper, "note", witness.Verifier().String(), l.key, l.witness))
	check(answer[0] == "good" && answer[1] != "0" && answer[2] == "good" && answer[4] == "good",
		"we verify torchwood's cosignature beside our own")
	receipt := run("", 0, helper, "receipt", "south.test", strings.Repeat("06", 32), "urn:uuid:1", strings.Repeat("ab", 32), "7", "1780272000000000")
	seed := bytes.Repeat([]byte{6}, 32)
	team := must(note.NewVerifier(must(note.NewEd25519VerifierKey("south.test", ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)))))
	_, err = note.Open([]byte(receipt), note.VerifierList(team))
	check(err == nil, "x/mod note verifies a receipt")
}

// theirLog is a log that Go's libraries keep: hashes, tiles, checkpoint.
type theirLog struct {
	stored  []tlog.Hash
	entries [][]byte
}

func (t *theirLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, t.stored[i])
	}
	return out, nil
}

func (t *theirLog) grow(until int) {
	for i := len(t.entries); i < until; i++ {
		t.entries = append(t.entries, entry(i))
		t.stored = append(t.stored, must(tlog.StoredHashes(int64(i), entry(i), t))...)
	}
}

func (t *theirLog) checkpoint(signer note.Signer) []byte {
	n := int64(len(t.entries))
	text := torchwood.Checkpoint{Origin: signer.Name(), Tree: tlog.Tree{N: n, Hash: must(tlog.TreeHash(n, t))}}.String()
	return must(note.Sign(&note.Note{Text: text}, signer))
}

func (t *theirLog) write(folder string, signer note.Signer) {
	put := func(path string, data []byte) {
		path = filepath.Join(folder, path)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			fail("%v", err)
		}
	}
	for _, tile := range tlog.NewTiles(torchwood.TileHeight, 0, int64(len(t.entries))) {
		if tile.W < 256 && len(t.entries) >= int(tile.N+1)*256 && tile.L == 0 {
			continue
		}
		put(torchwood.TilePath(tile), must(tlog.ReadTileData(tile, t)))
		if tile.L != 0 {
			continue
		}
		var bundle []byte
		for _, e := range t.entries[tile.N*256 : tile.N*256+int64(tile.W)] {
			bundle = must(torchwood.AppendTileEntry(bundle, e))
		}
		tile.L = -1
		put(torchwood.TilePath(tile), bundle)
	}
	put("checkpoint", t.checkpoint(signer))
}

func theirFolder(folder string) {
	secret, public, _ := note.GenerateKey(rand.Reader, "theirs.test/log")
	signer := must(note.NewSigner(secret))
	t := &theirLog{}
	t.grow(600)
	t.write(folder, signer)
	ours(0, "ledger", "audit", "--key", public, folder)
	fmt.Println("ok: comity ledger audit finds nothing wrong with a log that torchwood and x/mod tlog wrote")

	old := must(tlog.TreeHash(600, t))
	t.grow(1000)
	request := func(from int64) string {
		text := fmt.Sprintf("old %d\n", from)
		for _, h := range must(tlog.ProveTree(1000, from, t)) {
			text += base64.StdEncoding.EncodeToString(h[:]) + "\n"
		}
		return text + "\n" + string(t.checkpoint(signer))
	}
	judge := func(input string) (string, string) {
		status, body, _ := strings.Cut(run(input, 0, helper, "judge", public, "600", hex.EncodeToString(old[:]), "w.test",
			strings.Repeat("07", 32), "1780272000"), "\n")
		return status, body
	}
	status, body := judge(request(600))
	seed := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	witness := must(torchwood.NewCosignatureSigner("w.test", seed)).Verifier()
	_, err := note.Open(append(t.checkpoint(signer), body...), note.VerifierList(witness))
	check(status == "200" && err == nil, "our witness cosigns what x/mod tlog proves, and torchwood verifies that")
	status, body = judge(request(500))
	check(status == "409" && body == "600\n", "our witness answers 409 and its size")
	status, _ = judge(strings.Replace(request(600), "old 600\n", "old 600\n"+base64.StdEncoding.EncodeToString(old[:])+"\n", 1))
	check(status == "422", "our witness answers 422 to a proof with one hash more")
}

func main() {
	helper, comity, options = os.Args[1], os.Args[2], os.Args[3:]
	folder := must(os.MkdirTemp("", "comity-interop-"))
	defer os.RemoveAll(folder)
	mine, theirs := filepath.Join(folder, "ours"), filepath.Join(folder, "theirs")
	os.Mkdir(mine, 0o755)
	os.Mkdir(theirs, 0o755)
	l := makeLog(mine)
	readNotes(l)
	readTiles(l)
	readProofs(l)
	theirProofs(l)
	theirNotes(l)
	theirFolder(theirs)
	runningNode(folder)
}
