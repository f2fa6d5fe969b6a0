package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
)

// repository is GitHub's "repository" and, with its last fields,
// "full-repository".
type repository struct {
	ID               int64           `json:"id"`
	NodeID           string          `json:"node_id"`
	Name             string          `json:"name"`
	FullName         string          `json:"full_name"`
	Private          bool            `json:"private"`
	Owner            simpleUser      `json:"owner"`
	HTMLURL          string          `json:"html_url"`
	Description      *string         `json:"description"`
	Fork             bool            `json:"fork"`
	URL              string          `json:"url"`
	ArchiveURL       string          `json:"archive_url"`
	AssigneesURL     string          `json:"assignees_url"`
	BlobsURL         string          `json:"blobs_url"`
	BranchesURL      string          `json:"branches_url"`
	CollaboratorsURL string          `json:"collaborators_url"`
	CommentsURL      string          `json:"comments_url"`
	CommitsURL       string          `json:"commits_url"`
	CompareURL       string          `json:"compare_url"`
	ContentsURL      string          `json:"contents_url"`
	ContributorsURL  string          `json:"contributors_url"`
	DeploymentsURL   string          `json:"deployments_url"`
	DownloadsURL     string          `json:"downloads_url"`
	EventsURL        string          `json:"events_url"`
	ForksURL         string          `json:"forks_url"`
	GitCommitsURL    string          `json:"git_commits_url"`
	GitRefsURL       string          `json:"git_refs_url"`
	GitTagsURL       string          `json:"git_tags_url"`
	HooksURL         string          `json:"hooks_url"`
	IssueCommentURL  string          `json:"issue_comment_url"`
	IssueEventsURL   string          `json:"issue_events_url"`
	IssuesURL        string          `json:"issues_url"`
	KeysURL          string          `json:"keys_url"`
	LabelsURL        string          `json:"labels_url"`
	LanguagesURL     string          `json:"languages_url"`
	MergesURL        string          `json:"merges_url"`
	MilestonesURL    string          `json:"milestones_url"`
	NotificationsURL string          `json:"notifications_url"`
	PullsURL         string          `json:"pulls_url"`
	ReleasesURL      string          `json:"releases_url"`
	StargazersURL    string          `json:"stargazers_url"`
	StatusesURL      string          `json:"statuses_url"`
	SubscribersURL   string          `json:"subscribers_url"`
	SubscriptionURL  string          `json:"subscription_url"`
	TagsURL          string          `json:"tags_url"`
	TeamsURL         string          `json:"teams_url"`
	TreesURL         string          `json:"trees_url"`
	GitURL           string          `json:"git_url"`
	SSHURL           string          `json:"ssh_url"`
	CloneURL         string          `json:"clone_url"`
	SVNURL           string          `json:"svn_url"`
	MirrorURL        *string         `json:"mirror_url"`
	Homepage         *string         `json:"homepage"`
	Language         *string         `json:"language"`
	License          *struct{}       `json:"license"`
	ForksCount       int             `json:"forks_count"`
	Forks            int             `json:"forks"`
	StargazersCount  int             `json:"stargazers_count"`
	WatchersCount    int             `json:"watchers_count"`
	Watchers         int             `json:"watchers"`
	OpenIssuesCount  int             `json:"open_issues_count"`
	OpenIssues       int             `json:"open_issues"`
	Size             int64           `json:"size"` // KiB
	DefaultBranch    string          `json:"default_branch"`
	Topics           []string        `json:"topics"`
	IsTemplate       bool            `json:"is_template"`
	HasIssues        bool            `json:"has_issues"`
	HasProjects      bool            `json:"has_projects"`
	HasWiki          bool            `json:"has_wiki"`
	HasPages         bool            `json:"has_pages"`
	HasDownloads     bool            `json:"has_downloads"`
	HasDiscussions   bool            `json:"has_discussions"`
	Archived         bool            `json:"archived"`
	Disabled         bool            `json:"disabled"`
	Visibility       string          `json:"visibility"`
	PushedAt         time.Time       `json:"pushed_at"`
	CreatedAt        time.Time       `json:"created_at"`
	UpdatedAt        time.Time       `json:"updated_at"`
	Permissions      map[string]bool `json:"permissions"`
	NetworkCount     *int            `json:"network_count,omitempty"`
	SubscribersCount *int            `json:"subscribers_count,omitempty"`
	Parent           *repository     `json:"parent,omitempty"`
	Source           *repository     `json:"source,omitempty"`
}

// repository describes a repository to a caller who has a role in it. How many
// forks it has is as many as the caller may see.
func (a *api) repository(asked *request, r *forge.Repository, role forge.Role) (repository, error) {
	out := a.describe(r, role)
	forks, _, err := a.Hosting.CountForks(asked.Context(), asked.actor, r)
	out.ForksCount, out.Forks = forks, forks
	return out, err
}

func (a *api) describe(r *forge.Repository, role forge.Role) repository {
	u := a.base + "/repos/" + r.FullName()
	html := a.URL + "/" + r.FullName()
	out := repository{
		ID: int64(r.ID), NodeID: nodeID("Repository", int64(r.ID)), Name: r.Name, FullName: r.FullName(), Private: r.Private,
		Owner: a.simpleUser(r.Owner, r.OwnerID, false), HTMLURL: html, Description: optional(r.Description), URL: u,
		ArchiveURL: u + "/{archive_format}{/ref}", AssigneesURL: u + "/assignees{/user}", BlobsURL: u + "/git/blobs{/sha}",
		BranchesURL: u + "/branches{/branch}", CollaboratorsURL: u + "/collaborators{/collaborator}",
		CommentsURL: u + "/comments{/number}", CommitsURL: u + "/commits{/sha}", CompareURL: u + "/compare/{base}...{head}",
		ContentsURL: u + "/contents/{+path}", ContributorsURL: u + "/contributors", DeploymentsURL: u + "/deployments",
		DownloadsURL: u + "/downloads", EventsURL: u + "/events", ForksURL: u + "/forks", GitCommitsURL: u + "/git/commits{/sha}",
		GitRefsURL: u + "/git/refs{/sha}", GitTagsURL: u + "/git/tags{/sha}", HooksURL: u + "/hooks",
		IssueCommentURL: u + "/issues/comments{/number}", IssueEventsURL: u + "/issues/events{/number}", IssuesURL: u + "/issues{/number}",
		KeysURL: u + "/keys{/key_id}", LabelsURL: u + "/labels{/name}", LanguagesURL: u + "/languages", MergesURL: u + "/merges",
		MilestonesURL: u + "/milestones{/number}", NotificationsURL: u + "/notifications{?since,all,participating}",
		PullsURL: u + "/pulls{/number}", ReleasesURL: u + "/releases{/id}", StargazersURL: u + "/stargazers",
		StatusesURL: u + "/statuses/{sha}", SubscribersURL: u + "/subscribers", SubscriptionURL: u + "/subscription",
		TagsURL: u + "/tags", TeamsURL: u + "/teams", TreesURL: u + "/git/trees{/sha}",
		GitURL: html + ".git", CloneURL: html + ".git", SVNURL: html,
		Fork: r.Parent != 0, Size: (r.Bytes + 1023) / 1024, DefaultBranch: r.DefaultBranch, Topics: []string{}, Archived: r.Archived, Visibility: "public",
		CreatedAt: r.Created.UTC(), UpdatedAt: r.Updated.UTC(),
		Permissions: map[string]bool{
			"admin": role >= forge.RoleAdmin, "maintain": role >= forge.RoleMaintain, "push": role >= forge.RoleWrite,
			"triage": role >= forge.RoleTriage, "pull": role >= forge.RoleRead,
		},
	}
	if a.SSH != "" {
		out.SSHURL = "ssh://git@" + a.SSH + "/" + r.FullName() + ".git"
	}
	if r.Private {
		out.Visibility = "private"
	}
	if out.PushedAt = r.Pushed.UTC(); r.Pushed.IsZero() {
		out.PushedAt = out.CreatedAt // as GitHub has it before the first push
	}
	return out
}

// fullRepository adds what only the answer about a single repository has.
func (a *api) fullRepository(asked *request, r *forge.Repository, role forge.Role) (repository, error) {
	out := a.describe(r, role)
	forks, network, err := a.Hosting.CountForks(asked.Context(), asked.actor, r)
	if err != nil {
		return out, err
	}
	zero := 0
	out.ForksCount, out.Forks, out.NetworkCount, out.SubscribersCount = forks, forks, &network, &zero
	if out.Parent, err = a.ancestor(asked, r.Parent); err == nil {
		out.Source, err = a.ancestor(asked, r.Source)
	}
	return out, err
}

// ancestor describes what a repository was forked from, or nothing if it is no
// fork or the caller may not see it.
func (a *api) ancestor(asked *request, id forge.RepositoryID) (*repository, error) {
	if id == 0 {
		return nil, nil
	}
	handle, err := a.Hosting.OpenID(asked.Context(), asked.actor, forge.Read, id)
	if forge.KindOf(err) == forge.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out, err := a.repository(asked, handle.Repository, handle.Role)
	return &out, err
}

func repositoryID(r *forge.Repository) int64 { return int64(r.ID) }

func page(after int64, limit int) hosting.Page { return hosting.Page{After: after, Limit: limit} }

// list answers one page of repositories. What the actor may do with each is
// asked of the gate, as everywhere.
func (a *api) list(r *request, next func(after int64, limit int) ([]*forge.Repository, error)) (*result, error) {
	p := r.paging()
	found, more, err := walk(p, repositoryID, next)
	if err != nil {
		return nil, err
	}
	body := make([]repository, 0, len(found))
	for _, one := range found {
		handle, err := a.Hosting.OpenID(r.Context(), r.actor, forge.Read, one.ID)
		if forge.KindOf(err) == forge.NotFound {
			continue // gone since it was listed
		}
		if err != nil {
			return nil, err
		}
		described, err := a.repository(r, handle.Repository, handle.Role)
		if err != nil {
			return nil, err
		}
		body = append(body, described)
	}
	return &result{status: http.StatusOK, body: body, link: a.link(r, p, more)}, nil
}

func (a *api) listOwnRepositories(r *request) (*result, error) {
	if err := r.signedIn(); err != nil {
		return nil, err
	}
	return a.list(r, func(after int64, limit int) ([]*forge.Repository, error) {
		return a.Hosting.ListOwn(r.Context(), r.actor, page(after, limit))
	})
}

func (a *api) listRepositoriesOf(r *request) (*result, error) {
	return a.list(r, func(after int64, limit int) ([]*forge.Repository, error) {
		return a.Hosting.ListOwned(r.Context(), r.actor, r.param("login"), page(after, limit))
	})
}

func (a *api) createRepository(r *request) (*result, error) {
	if err := r.signedIn(); err != nil {
		return nil, err
	}
	var in struct {
		Name, Description string
		Private           bool
		Visibility        string
		DefaultBranch     string `json:"default_branch"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	private, err := privacy(in.Private, in.Visibility)
	if err != nil {
		return nil, err
	}
	if in.Name == "" {
		return nil, forge.Invalidf("name", forge.CodeMissingField, "name is required")
	}
	made, err := a.Hosting.Create(r.Context(), r.actor, "", hosting.NewRepository{
		Name: in.Name, Description: in.Description, Private: private, DefaultBranch: in.DefaultBranch})
	if err != nil {
		return nil, err
	}
	body, err := a.fullRepository(r, made, forge.RoleAdmin)
	if err != nil {
		return nil, err
	}
	return &result{status: http.StatusCreated, body: body, location: body.URL}, nil
}

func privacy(private bool, visibility string) (bool, error) {
	switch visibility {
	case "":
		return private, nil
	case "public", "private":
		return visibility == "private", nil
	}
	return false, forge.Invalidf("visibility", forge.CodeInvalid, "visibility is \"public\" or \"private\"")
}

func (a *api) answerRepository(r *request, repository *forge.Repository, role forge.Role) (*result, error) {
	body, err := a.fullRepository(r, repository, role)
	if err != nil {
		return nil, err
	}
	return ok(body), nil
}

func (a *api) getRepository(r *request) (*result, error) {
	owner, name := r.repository()
	handle, err := a.Hosting.Open(r.Context(), r.actor, forge.Read, owner, name)
	if err != nil {
		return nil, err
	}
	return a.answerRepository(r, handle.Repository, handle.Role)
}

func (a *api) editRepository(r *request) (*result, error) {
	var in struct {
		Name, Description *string
		Private, Archived *bool
		Visibility        *string
		DefaultBranch     *string `json:"default_branch"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	edit := hosting.Edit{Name: in.Name, Description: in.Description, Private: in.Private, Archived: in.Archived, DefaultBranch: in.DefaultBranch}
	if in.Visibility != nil {
		private, err := privacy(false, *in.Visibility)
		if err != nil {
			return nil, err
		}
		edit.Private = &private
	}
	owner, name := r.repository()
	edited, err := a.Hosting.Edit(r.Context(), r.actor, owner, name, edit)
	if err != nil {
		return nil, err
	}
	return a.answerRepository(r, edited, forge.RoleAdmin)
}

func (a *api) deleteRepository(r *request) (*result, error) {
	owner, name := r.repository()
	if err := a.Hosting.Delete(r.Context(), r.actor, owner, name); err != nil {
		return nil, err
	}
	return &result{status: http.StatusNoContent}, nil
}

// collaborator is GitHub's "collaborator".
type collaborator struct {
	simpleUser
	Permissions map[string]bool `json:"permissions"`
	RoleName    string          `json:"role_name"`
}

func (a *api) listCollaborators(r *request) (*result, error) {
	owner, name := r.repository()
	p := r.paging()
	found, more, err := walk(p, func(c hosting.Collaborator) int64 { return int64(c.UserID) }, func(after int64, limit int) ([]hosting.Collaborator, error) {
		return a.Hosting.ListCollaborators(r.Context(), r.actor, owner, name, page(after, limit))
	})
	if err != nil {
		return nil, err
	}
	body := make([]collaborator, len(found))
	for i, c := range found {
		body[i] = collaborator{simpleUser: a.simpleUser(c.Login, c.UserID, false), RoleName: c.Role.String(),
			Permissions: map[string]bool{"pull": c.Role >= forge.RoleRead, "triage": c.Role >= forge.RoleTriage, "push": c.Role >= forge.RoleWrite,
				"maintain": c.Role >= forge.RoleMaintain, "admin": c.Role >= forge.RoleAdmin}}
	}
	return &result{status: http.StatusOK, body: body, link: a.link(r, p, more)}, nil
}

func (a *api) setCollaborator(r *request) (*result, error) {
	var in struct{ Permission string }
	if r.ContentLength != 0 {
		if err := r.decode(&in); err != nil {
			return nil, err
		}
	}
	role := forge.RoleWrite // GitHub's default
	if in.Permission != "" {
		var err error
		if role, err = forge.ParseRole(in.Permission); err != nil {
			return nil, err
		}
		if !slices.Contains([]forge.Role{forge.RoleRead, forge.RoleTriage, forge.RoleWrite, forge.RoleMaintain, forge.RoleAdmin}, role) {
			return nil, forge.Invalidf("permission", forge.CodeInvalid, "permission is one of pull, triage, push, maintain, admin")
		}
	}
	owner, name := r.repository()
	if err := a.Hosting.SetCollaborator(r.Context(), r.actor, owner, name, strings.TrimSpace(r.param("login")), role); err != nil {
		return nil, err
	}
	return &result{status: http.StatusNoContent}, nil
}

func (a *api) removeCollaborator(r *request) (*result, error) {
	owner, name := r.repository()
	if err := a.Hosting.SetCollaborator(r.Context(), r.actor, owner, name, r.param("login"), forge.RoleNone); err != nil {
		return nil, err
	}
	return &result{status: http.StatusNoContent}, nil
}
